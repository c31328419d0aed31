//! The way out.

use std::path::Path;

use crate::config::parse::Settings;
use maro_process::http::network::{self, Network};

impl Settings {
    pub(super) fn network(&mut self) -> Option<Network> {
        let exceptions = self.or("MARO_NO_PROXY", "");
        let entries: Vec<&str> =
            exceptions.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let mut is_well = true;
        for entry in entries.iter().filter(|entry| !Network::is_exception(entry)) {
            is_well = false;
            self.problems.push(format!(
                "MARO_NO_PROXY must be a list of names, IP addresses and networks without ports, such as \
                 .corp.example,10.0.0.0/8; {entry:?} isn't one."
            ));
        }
        let network = match self.get("MARO_HTTPS_PROXY").map(str::to_owned) {
            None => Some(Network::default()),
            // The value may contain a password, so no message repeats it.
            Some(proxy) => match Network::default().through(&proxy, &entries.join(",")) {
                Ok(network) => Some(network),
                Err(problem) => self.problem(format!("MARO_HTTPS_PROXY {problem}.")),
            },
        };
        let network = match self.get("MARO_CA_FILE").map(str::to_owned) {
            None => network,
            Some(file) => match network::read_authorities(Path::new(&file)) {
                Ok(authorities) => network.map(|network| network.trusting(authorities)),
                Err(problem) => self.problem(format!("MARO_CA_FILE names the file {file}, which {problem}.")),
            },
        };
        network.filter(|_| is_well)
    }
}
