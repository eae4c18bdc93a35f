import Glibc
import Testing

@testable import PartnerBooking

/// What stands in the file system, and what does not.
@Suite struct ZoneFileTests {
    @Test(arguments: [
        "America/New_York", "America/Argentina/ComodRivadavia", "America/Port-au-Prince", "Etc/GMT+12", "GMT0", "UTC",
        "W-SU",
        "EST5EDT", "a", String(repeating: "a", count: 64),
    ])
    func namesOfZones(_ name: String) { #expect(ZoneFile.isName(name)) }

    @Test(arguments: [
        "", "/", "/etc/passwd", "..", "../zoneinfo/UTC", "America/../UTC", "America/./UTC", ".", "America//New_York",
        "America/",
        "/UTC", "UTC\u{0}", "\u{0}", "America/New York", "Europe/K\u{F8}benhavn", "zone.tab", "UTC\n", "C:UTC", "~root",
        "%2e%2e/UTC",
        "..\\UTC", "UTC;id", "$TZ", "*", String(repeating: "a", count: 65), String(repeating: "a/", count: 5_000_000) + "a",
    ])
    func otherTextIsNoName(_ name: String) {
        #expect(!ZoneFile.isName(name))
        let error = #expect(throws: ZoneError.self) { try ZoneCache.shared.zone(name) }
        #expect(error?.message.hasSuffix("is no IANA name, such as America/New_York") == true)
        #expect(error?.message.utf8.count ?? 0 < 160)
        #expect(error?.message.utf8.allSatisfy { (0x20...0x7E).contains($0) } == true)
    }

    private func read(_ path: String) throws -> [UInt8]? {
        if case .bytes(let bytes) = try ZoneFile.read(path) { bytes } else { nil }
    }

    private func isMissing(_ path: String) throws -> Bool {
        if case .missing = try ZoneFile.read(path) { true } else { false }
    }

    @Test func aFileIsRead() throws {
        let folder = try ZoneFolder()
        folder.write("UTC", [1, 2, 3])
        folder.write("Empty", [])
        #expect(try read("\(folder.path)/UTC") == [1, 2, 3])
        #expect(try read("\(folder.path)/Empty") == [])
    }

    /// Distributions keep the other names of a zone as links.
    @Test func aLinkIsFollowed() throws {
        let folder = try ZoneFolder()
        folder.write("UTC", [1, 2, 3])
        #expect(symlink("UTC", "\(folder.path)/Zulu") == 0)
        #expect(symlink("nothing", "\(folder.path)/Dangling") == 0)
        #expect(symlink("Round", "\(folder.path)/Round") == 0)
        #expect(try read("\(folder.path)/Zulu") == [1, 2, 3])
        #expect(try isMissing("\(folder.path)/Dangling"))
        #expect(try isMissing("\(folder.path)/Round"))
    }

    /// A pipe without a writer would block whoever opens it.
    @Test func nothingElseIsRead() throws {
        let folder = try ZoneFolder()
        #expect(mkfifo("\(folder.path)/Pipe", 0o600) == 0)
        #expect(mkdir("\(folder.path)/America", 0o700) == 0)
        for name in ["Pipe", "America", "Nothing", "UTC/Nothing"] { #expect(try isMissing("\(folder.path)/\(name)")) }
        #expect(try isMissing("/dev/zero"))
        #expect(try isMissing("/dev/tty"))
    }

    @Test func aFileIsOfTheSizeOfAZone() throws {
        let folder = try ZoneFolder()
        folder.write("Most", [UInt8](repeating: 7, count: 65_536))
        folder.write("TooMuch", [UInt8](repeating: 7, count: 65_537))
        #expect(try read("\(folder.path)/Most")?.count == 65_536)
        let error = #expect(throws: ZoneError.self) { try ZoneFile.read("\(folder.path)/TooMuch") }
        #expect(error?.message == "\(folder.path)/TooMuch: it has 65537 bytes, and a zone at most 65536")
    }
}
