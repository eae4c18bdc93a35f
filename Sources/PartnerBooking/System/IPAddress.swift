import Glibc

/// An IPv4 or IPv6 address, with a test for public addresses.
struct IPAddress: Equatable {
    /// 4 or 16 bytes, in network order.
    private let bytes: [UInt8]

    /// Reads `10.0.0.1` or `fd00::1`. Returns nil for anything else.
    init?(_ text: String) {
        var (four, sixteen) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
            bytes = withUnsafeBytes(of: sixteen) { Array($0) }
        } else {
            return nil
        }
    }

    /// Reads the address that a socket will be connected to. Returns nil if it is no internet
    /// address. `count` bytes are readable.
    init?(socketAddress: UnsafeRawPointer, count: Int) {
        guard count >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(socketAddress.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where count >= MemoryLayout<sockaddr_in>.size:
            let address = socketAddress.loadUnaligned(as: sockaddr_in.self).sin_addr
            bytes = withUnsafeBytes(of: address) { Array($0) }
        case AF_INET6 where count >= MemoryLayout<sockaddr_in6>.size:
            let address = socketAddress.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            bytes = withUnsafeBytes(of: address) { Array($0) }
        default: return nil
        }
    }

    private init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

    /// True when the address cannot leave this machine.
    var isLoopback: Bool { bytes.count == 4 ? bytes.starts(with: [127]) : isIn("::1", 128) }

    /// True when any server on the internet may have the address. Other addresses belong to a
    /// private network, to this machine, or to nobody. IANA's registries of special-purpose
    /// addresses list them (https://www.iana.org/assignments/iana-ipv4-special-registry and
    /// …-ipv6-…).
    var isPublic: Bool {
        if bytes.count == 4 { return !Self.special4.contains { isIn($0, $1) } }
        // An IPv4 address inside an IPv6 address (NAT64, 6to4) is the real destination.
        if isIn("64:ff9b::", 96) { return IPAddress(bytes[12...]).isPublic }
        if isIn("2002::", 16) { return IPAddress(bytes[2..<6]).isPublic }
        // Only this eighth of IPv6 is given out. Mapped and local addresses, multicast and the
        // rest lie outside.
        return isIn("2000::", 3) && !Self.special6.contains { isIn($0, $1) }
    }

    private static var special4: [(String, Int)] {
        [
            ("0.0.0.0", 8), ("10.0.0.0", 8), ("100.64.0.0", 10), ("127.0.0.0", 8), ("169.254.0.0", 16), ("172.16.0.0", 12),
            ("192.0.0.0", 24), ("192.0.2.0", 24), ("192.88.99.0", 24), ("192.168.0.0", 16), ("198.18.0.0", 15),
            ("198.51.100.0", 24), ("203.0.113.0", 24), ("224.0.0.0", 3),
        ]
    }

    private static var special6: [(String, Int)] { [("2001::", 23), ("2001:db8::", 32), ("3fff::", 20)] }

    /// Returns whether the first bits are those of the network.
    private func isIn(_ network: String, _ bits: Int) -> Bool {
        guard let other = IPAddress(network)?.bytes, other.count == bytes.count else { return false }
        let whole = bits / 8
        guard bytes.prefix(whole) == other.prefix(whole) else { return false }
        let rest = bits % 8
        return rest == 0 || (bytes[whole] ^ other[whole]) >> (8 - rest) == 0
    }
}
