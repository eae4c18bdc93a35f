import Glibc
import Testing

@testable import PartnerBooking

@Suite struct IPAddressTests {
    static let publicAddresses = [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2606:4700:4700::1111",
        "2a00:1450::1", "2400::", "3ffe::1", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ]

    /// The first and the last of every network that is not the public internet's.
    static let otherAddresses = [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
        "192.0.0.255", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1", "2002:7f00:1::1", "2002:c0a8:1::", "3fff::1",
        "5f00::1", "fc00::1", "fd00::1", "fdff:ffff::", "fe80::1", "febf::1", "fec0::1", "ff02::1",
    ]

    @Test(arguments: publicAddresses)
    func anAddressOfTheInternetIsPublic(_ text: String) throws { #expect(try #require(IPAddress(text)).isPublic) }

    @Test(arguments: otherAddresses)
    func anyOtherIsNot(_ text: String) throws { #expect(try !#require(IPAddress(text)).isPublic) }

    @Test func loopbackIsThisMachine() throws {
        for text in ["127.0.0.1", "127.0.0.0", "127.255.255.255", "::1"] {
            #expect(try #require(IPAddress(text)).isLoopback)
        }
        for text in ["126.0.0.1", "128.0.0.1", "::2", "::", "::ffff:127.0.0.1", "0.0.0.0"] {
            #expect(try !#require(IPAddress(text)).isLoopback)
        }
    }

    @Test func anythingElseIsNoAddress() {
        for text in ["", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", "::g", "[::1]", "localhost", "fe80::1%eth0"] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }

    private static func read(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> IPAddress? {
        bytes.baseAddress.flatMap { IPAddress(socketAddress: $0, count: count) }
    }

    @Test func anAddressIsReadFromWhereASocketIsToBeConnected() {
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "10.1.2.3", &four.sin_addr)
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        inet_pton(AF_INET6, "fd00::7", &six.sin6_addr)
        withUnsafeBytes(of: four) {
            #expect(Self.read($0, $0.count) == IPAddress("10.1.2.3"))
            for count in -1..<$0.count {
                #expect(Self.read($0, count) == nil)
            }
        }
        withUnsafeBytes(of: six) {
            #expect(Self.read($0, $0.count) == IPAddress("fd00::7"))
            #expect(Self.read($0, $0.count - 1) == nil)
        }
        var local = sockaddr_un()
        local.sun_family = sa_family_t(AF_UNIX)
        withUnsafeBytes(of: local) {
            #expect(Self.read($0, $0.count) == nil)
        }
    }
}
