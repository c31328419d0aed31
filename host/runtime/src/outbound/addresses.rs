//! The addresses that a plugin's request may reach: the public internet, and nothing closer.
//!
//! After IANA's registries of special-purpose addresses,
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and its sibling for IPv6.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// Where requests of plugins may go, how long they may take, and whom they trust. There is no setting for it:
/// only tests use anything but [`Reach::INTERNET`].
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Whether `http` is as good as `https`.
    pub plain_http: bool,
    /// Whether a connection to an address may be made.
    pub allows: fn(IpAddr) -> bool,
    /// The same for hosts that the operator lists as private.
    pub allows_private: fn(IpAddr) -> bool,
    /// Who vouches for services instead of the system's authorities: one certificate, in DER.
    pub authority: Option<&'static [u8]>,
    /// How long a request may take, from looking up the name to the last byte of the answer.
    pub patience: Duration,
    /// What a name resolves to instead of what the system's resolver says.
    pub look_up: Option<fn(&str) -> Vec<IpAddr>>,
}

impl Reach {
    /// Everything that is public, over TLS.
    pub const INTERNET: Self = Self {
        plain_http: false,
        allows: is_public,
        allows_private: is_public_or_private,
        authority: None,
        patience: Duration::from_secs(10),
        look_up: None,
    };
}

/// IPv4 ranges that are not public, as address and length of prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    // This network, and "any address".
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared behind carriers' NAT; clouds put services there.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, with the metadata services of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays from 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarking.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // Public by number, yet Azure's own service to each of its machines.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // AS112, which answers for private names.
    (Ipv4Addr::new(192, 175, 48, 0), 24),
];

/// What a host that the operator lists as private may be besides public. Not the addresses of clouds' own services
/// to their machines, which hand out credentials.
const PRIVATE_V4: [(Ipv4Addr, u32); 5] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
];

/// Alibaba's metadata service, within the shared range.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// Unique local addresses, and the metadata services of Amazon and of Google among them.
const PRIVATE_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
const METADATA_V6: [(Ipv6Addr, u32); 2] = [
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0), 32),
];

/// The IPv6 range that is public, and the ranges within it that are not.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID and more.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4, which leads to an IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // AS112, which answers for private names.
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
];

/// How networks without IPv4 spell IPv4 addresses.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether an address is on the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if lies_in_v6(address, NAT64) => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Mapped and compatible IPv4, loopback, link-local, unique-local and multicast lie outside.
        IpAddr::V6(address) => {
            lies_in_v6(address, GLOBAL_V6) && !SPECIAL_V6.iter().any(|range| lies_in_v6(address, *range))
        }
    }
}

/// Whether an address is on the public internet, on this machine or in a private network.
pub fn is_public_or_private(address: IpAddr) -> bool {
    is_public(address)
        || match address {
            IpAddr::V4(address) => {
                address != METADATA_V4 && PRIVATE_V4.iter().any(|range| lies_in_v4(address, *range))
            }
            IpAddr::V6(Ipv6Addr::LOCALHOST) => true,
            IpAddr::V6(address) => {
                let is_metadata = || METADATA_V6.iter().any(|range| lies_in_v6(address, *range));
                lies_in_v6(address, PRIVATE_V6) && !is_metadata()
            }
        }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|range| lies_in_v4(address, *range))
}

fn lies_in_v4(address: Ipv4Addr, (start, prefix): (Ipv4Addr, u32)) -> bool {
    let mask = u32::MAX << (32 - prefix);
    address.to_bits() & mask == start.to_bits()
}

fn lies_in_v6(address: Ipv6Addr, (start, prefix): (Ipv6Addr, u32)) -> bool {
    let mask = u128::MAX << (128 - prefix);
    address.to_bits() & mask == start.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(address: &str) -> bool {
        !is_public(address.parse().unwrap())
    }

    #[test]
    fn nothing_near_is_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "192.175.48.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.1.2.3",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:808:808::1",
            "2620:4f:8000::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            assert!(refuses(address), "{address}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.255.255",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2400:cb00::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(!refuses(address), "{address}");
        }
    }

    #[test]
    fn a_private_host_may_be_near_but_never_the_clouds_own_service() {
        let allows = |address: &str| is_public_or_private(address.parse().unwrap());
        for address in
            ["127.0.0.1", "10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1", "1.1.1.1"]
        {
            assert!(allows(address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "::",
            "::ffff:127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
        ] {
            assert!(!allows(address), "{address}");
        }
    }

    #[test]
    fn every_range_is_written_from_its_start() {
        for (start, prefix) in SPECIAL_V4.into_iter().chain(PRIVATE_V4) {
            assert_eq!(start.to_bits() & !(u32::MAX << (32 - prefix)), 0, "{start}");
        }
        let single = [NAT64, GLOBAL_V6, PRIVATE_V6];
        for (start, prefix) in SPECIAL_V6.into_iter().chain(METADATA_V6).chain(single) {
            assert_eq!(start.to_bits() & !(u128::MAX << (128 - prefix)), 0, "{start}");
        }
    }
}
