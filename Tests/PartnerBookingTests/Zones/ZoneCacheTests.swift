import Glibc
import Testing

@testable import PartnerBooking

@Suite struct ZoneCacheTests {
    private static func cache(_ folder: ZoneFolder, limit: Int = 64) -> ZoneCache {
        ZoneCache(directories: ["/there/is/no/such/folder", folder.path], limit: limit)
    }

    @Test func theSystemsFileComesFirst() throws {
        let folder = try ZoneFolder()
        folder.write("UTC", TZifSample(offsets: [60]).bytes)
        let zone = try Self.cache(folder).zone("UTC")
        #expect(zone.name == "UTC")
        #expect(zone.offset(at: 0) == 60)
        #expect(zone.builtInVersion == nil)
    }

    @Test func theTableIsForWhatTheSystemDoesNotHave() throws {
        let folder = try ZoneFolder()
        let zone = try Self.cache(folder).zone("America/New_York")
        #expect(zone.builtInVersion == BuiltInZones.version)
        #expect(zone.offset(at: seconds("2030-07-01T00:00:00Z")) == -14_400)
    }

    /// The table must not hide a damaged file.
    @Test func aDamagedFileIsAnError() throws {
        let folder = try ZoneFolder()
        let good = TZifSample(offsets: [0], footer: "UTC0").bytes
        folder.write("UTC", Array(good.dropLast()))
        folder.write("Large", [UInt8](repeating: 0, count: 65_537))
        let cache = Self.cache(folder)
        var error = #expect(throws: ZoneError.self) { try cache.zone("UTC") }
        #expect(error?.message == "\(folder.path)/UTC: it has no footer behind byte \(good.count - 5)")
        error = #expect(throws: ZoneError.self) { try cache.zone("Large") }
        #expect(error?.message.hasPrefix("\(folder.path)/Large: it has 65537 bytes") == true)
        // It is read again once it is whole.
        folder.write("UTC", good)
        #expect(try cache.zone("UTC").builtInVersion == nil)
    }

    @Test func anUnknownNameIsAnError() throws {
        let folder = try ZoneFolder()
        let error = #expect(throws: ZoneError.self) { try Self.cache(folder).zone("Mars/Olympus_Mons") }
        #expect(
            error?.message == "there is no time zone Mars/Olympus_Mons in /there/is/no/such/folder, \(folder.path), "
                + "or in the built-in table of tzdata \(BuiltInZones.version)")
        for name in ["America", "utc", "america/new_york", "posixrules2", "New_York"] {
            #expect(throws: ZoneError.self, "\(name)") { try ZoneCache.shared.zone(name) }
        }
    }

    @Test func aZoneIsReadOnce() throws {
        let folder = try ZoneFolder()
        folder.write("Test", TZifSample(offsets: [60]).bytes)
        let cache = Self.cache(folder)
        let zone = try cache.zone("Test")
        folder.remove("Test")
        #expect(try cache.zone("Test") === zone)
        #expect(throws: ZoneError.self) { try Self.cache(folder).zone("Test") }
    }

    /// The sign for kelvin is a K to Swift.
    @Test func namesAreEqualByteForByte() throws {
        let other = "Asia/\u{212A}athmandu"
        #expect(try ZoneCache.shared.zone("Asia/Kathmandu").name == other)
        #expect(throws: ZoneError.self) { try ZoneCache.shared.zone(other) }
    }

    /// Beyond the limit the zone that was not used for longest is forgotten.
    @Test func theCacheHasALimit() throws {
        let folder = try ZoneFolder()
        for name in "abcd" { folder.write(String(name), TZifSample(offsets: [60]).bytes) }
        let cache = Self.cache(folder, limit: 3)
        let zones = try ["a", "b", "c"].map(cache.zone)
        #expect(try cache.zone("a") === zones[0])
        _ = try cache.zone("d")
        #expect(try cache.zone("a") === zones[0])
        #expect(try cache.zone("c") === zones[2])
        #expect(try cache.zone("b") !== zones[1])
    }

    @Test func threadsShareTheCache() throws {
        let cache = ZoneCache(limit: 4)
        let names = Array(BuiltInZones.names.prefix(24))
        let found = Counter()
        onThreads(8) { thread in
            for round in 0..<200 {
                guard let zone = try? cache.zone(names[(round * (thread + 1)) % names.count]) else { continue }
                if zone.instants(atWall: zone.local(at: 1_900_000_000).wall) != .gap(0) { found.increment() }
            }
        }
        #expect(found.value == 1_600)
    }

    /// Without a descriptor the table answers, and the file is read as soon as it can be.
    @Test func aFileThatCannotBeReadNowIsReadLater() async {
        await #expect(processExitsWith: .success) {
            let folder = try ZoneFolder()
            for name in ["UTC", "Test"] { folder.write(name, TZifSample(offsets: [60]).bytes) }
            let cache = ZoneCache(directories: [folder.path])
            var before = rlimit()
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before) == 0)
            var limit = rlimit(rlim_cur: 0, rlim_max: before.rlim_max)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            let zone = try? cache.zone("UTC")
            let error = #expect(throws: ZoneError.self) { try cache.zone("Test") }
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
            #expect(zone?.builtInVersion == BuiltInZones.version)
            #expect(error?.message == "the file of the time zone Test could not be read: Too many open files")
            #expect(try cache.zone("UTC").builtInVersion == nil)
            #expect(try cache.zone("Test").offset(at: 0) == 60)
        }
    }
}
