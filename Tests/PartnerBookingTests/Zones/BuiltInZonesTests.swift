import Testing

@testable import PartnerBooking

/// The table as it is; Tests/campaigns/zones.py compares it with zoneinfo.
@Suite struct BuiltInZonesTests {
    @Test func eachNameIsAZone() {
        let names = BuiltInZones.names
        #expect(names.count > 590 && Set(names).count == names.count)
        for name in names {
            #expect(ZoneFile.isName(name), "\(name)")
            let zone = BuiltInZones.zone(name)
            #expect(zone?.name == name && zone?.builtInVersion == BuiltInZones.version, "\(name)")
        }
    }

    @Test func oldNamesAreThere() throws {
        for (old, new) in [
            ("US/Eastern", "America/New_York"), ("Asia/Calcutta", "Asia/Kolkata"), ("GB", "Europe/London"),
            ("America/Godthab", "America/Nuuk"), ("Etc/UTC", "UTC"),
        ] {
            let (first, second) = (try #require(BuiltInZones.zone(old)), try #require(BuiltInZones.zone(new)))
            for instant in stride(from: seconds("2026-01-01T00:00:00Z"), to: seconds("2041-01-01T00:00:00Z"), by: 86_400) {
                #expect(first.offset(at: instant) == second.offset(at: instant))
            }
        }
    }

    /// The parts of a line are not names.
    @Test(arguments: [
        "", "EST5", "CET-1CEST,M3.5.0,M10.5.0/3", "America/New_Yor", "New_York", "UTC0", " ", "\n", "<+01>-1", "|",
    ])
    func otherTextIsNotThere(_ name: String) { #expect(BuiltInZones.zone(name) == nil) }

    @Test func theTableIsSmall() {
        #expect(BuiltInZones.table.utf8CodeUnitCount < 13_000)
        #expect(BuiltInZones.version.count == 5)
    }
}
