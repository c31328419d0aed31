//! The WASI of one invocation. It is empty: no files, environment, arguments, network or input. Its time of day is a
//! capability.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView};

use crate::{invocation::printed::Printed, recording::tape::Tape};

/// Bytes of randomness that a guest may take in one call.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// The most resources that a guest may hold.
const MAX_RESOURCES: usize = 1_000;

/// Made when the guest first uses WASI, which most never do.
#[derive(Default)]
pub(super) struct Wasi(Option<Box<Parts>>);

struct Parts {
    context: WasiCtx,
    table: ResourceTable,
    /// Standard output and standard error, in the order written.
    printed: Printed,
    tape: Option<Arc<Tape>>,
}

impl Wasi {
    pub(super) fn view(&mut self, tape: Option<&Arc<Tape>>) -> WasiCtxView<'_> {
        let parts = self.0.get_or_insert_with(|| Box::new(Parts::new(tape.cloned())));
        WasiCtxView { ctx: &mut parts.context, table: &mut parts.table }
    }

    /// What the guest wrote to standard output and standard error: the message of a panic.
    pub(super) fn printed(&self) -> String {
        self.0.as_ref().map(|parts| parts.printed.text()).unwrap_or_default()
    }
}

impl Parts {
    fn new(tape: Option<Arc<Tape>>) -> Self {
        let printed = Printed::default();
        let context = WasiCtx::builder()
            .stdout(printed.clone())
            .stderr(printed.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM_BYTES)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self { context, table, printed, tape }
    }
}

/// Authors see what was printed however the invocation ended, even by a limit.
impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(tape) = &self.tape {
            tape.note_printed(self.printed.text());
        }
    }
}
