//! Which processors compiled code is for, if not for the one at hand: code that an image brings runs on many.

use clap::ValueEnum;
use wasmtime::Config;

/// The least processor that code is compiled for. It runs on every later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cpu {
    /// Any of this family.
    #[value(name = "x86-64")]
    X86,
    /// Since about 2009, with SSE4.2.
    #[value(name = "x86-64-v2")]
    X86V2,
    /// Since about 2015, with AVX2.
    #[value(name = "x86-64-v3")]
    X86V3,
    /// Any of this family.
    #[value(name = "aarch64")]
    Arm,
}

impl Cpu {
    /// Those that this program's code may be for, the most able first.
    pub(crate) fn of_this_family() -> &'static [Self] {
        match std::env::consts::ARCH {
            "x86_64" => &[Self::X86V3, Self::X86V2, Self::X86],
            "aarch64" => &[Self::Arm],
            _ => &[],
        }
    }

    /// Its name, also among Cranelift's presets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86 => "x86-64",
            Self::X86V2 => "x86-64-v2",
            Self::X86V3 => "x86-64-v3",
            Self::Arm => "aarch64",
        }
    }

    /// Makes an engine compile for this processor and not for the one at hand.
    ///
    /// # Errors
    /// Wasmtime knows no such processor.
    pub(super) fn configure(self, config: &mut Config) -> wasmtime::Result<()> {
        let target = if self == Self::Arm { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
        config.target(target)?;
        if matches!(self, Self::X86V2 | Self::X86V3) {
            #[expect(
                unsafe_code,
                reason = "what isn't there would be undefined behaviour, and Wasmtime checks each feature when it \
                          loads the code"
            )]
            // SAFETY: as the reason says.
            unsafe {
                config.cranelift_flag_enable(self.as_str());
            }
        }
        Ok(())
    }
}
