import Testing

@testable import PartnerBooking

/// Files that are no zones: an error that says why, and never a trap.
@Suite struct TZifDamageTests {
    private static let good = TZifSample(
        offsets: [3_208, 3_600, 7_200], changes: [(-2_422_054_408, 1), (828_234_000, 2), (846_378_000, 1)],
        footer: "CET-1CEST,M3.5.0,M10.5.0/3"
    ).bytes

    private static func message(_ bytes: [UInt8]) -> String {
        do throws(ZoneError) {
            _ = try TZifFile(bytes)
            return ""
        } catch {
            return error.message
        }
    }

    /// Where the second header begins, and where its data.
    private static let second = 54
    private static let data = second + 44

    private static func changed(_ place: Int, _ bytes: [UInt8]) -> String {
        var file = good
        file.replaceSubrange(place..<place + bytes.count, with: bytes)
        return message(file)
    }

    @Test func noPartOfAFileIsAZone() {
        for count in 0..<Self.good.count {
            let message = Self.message(Array(Self.good.prefix(count)))
            #expect(message.hasPrefix("it ends too early: byte ") || message.hasPrefix("it has no footer"), "\(count)")
        }
        #expect(Self.message(Self.good) == "")
    }

    /// Whatever comes out of it: conversions with it end.
    @Test func eachFlippedBitIsAnErrorOrAZone() {
        var (errors, zones) = (Set<String>(), 0)
        for bit in 0..<Self.good.count * 8 {
            var file = Self.good
            file[bit / 8] ^= 1 << (bit % 8)
            do throws(ZoneError) {
                let zone = Zone("Test/Zone", try TZifFile(file))
                for instant in [Int.min, -2_422_054_409, 828_234_000, 0, 1_900_000_000, Int.max] {
                    #expect(zone.offset(at: instant) == zone.local(at: instant).offset)
                    _ = zone.instants(atWall: instant)
                }
                zones += 1
            } catch {
                errors.insert(error.message)
            }
        }
        #expect(errors.count > 100 && zones > 100)
    }

    @Test func wrongNumbersHaveTheirNames() {
        let (second, data) = (Self.second, Self.data)
        #expect(Self.message([]) == "it ends too early: byte 0 should begin 4 bytes, and 0 are left")
        #expect(Self.message(Array("# tzdata".utf8)) == "there is no TZif header at byte 0")
        #expect(Self.changed(second, [0]) == "there is no TZif header at byte 54")
        #expect(Self.changed(4, [UInt8(ascii: "1")]) == "its version byte is 49")
        #expect(Self.changed(4, [UInt8(ascii: ":")]) == "its version byte is 58")
        #expect(Self.changed(4, [UInt8(ascii: "3")]) == "its two headers have different versions")
        #expect(Self.changed(second + 20, [0, 0, 0, 2]) == "it has 3 types of time, but 2 indicators")
        #expect(Self.changed(second + 36, [0, 0, 0, 0]) == "it has 0 types of time, not 1 to 256")
        #expect(Self.changed(second + 36, [0, 0, 1, 1]) == "it has 257 types of time, not 1 to 256")
        #expect(Self.changed(second + 40, [0, 0, 0, 0]) == "it has no abbreviations")
        #expect(Self.changed(data, [0x80]).hasSuffix("too far away"))
        #expect(Self.changed(data + 8, [0x80]).hasPrefix("change 1 is at -"))
        #expect(Self.changed(data + 8, [0xFF, 0xFF, 0, 0]) == "change 1 does not come after the one before it")
        #expect(Self.changed(data + 24, [3]) == "a change leads to type 3 of 3")
        #expect(Self.changed(data + 27, [0, 1, 0x6D, 0xA0]) == "an offset of 93600 seconds is out of range")
        #expect(Self.changed(data + 27, [0x80, 0, 0, 0]) == "an offset of -2147483648 seconds is out of range")
        #expect(Self.changed(data + 31, [2]) == "a type of time has a wrong flag or no abbreviation")
        #expect(Self.changed(data + 32, [4]) == "a type of time has a wrong flag or no abbreviation")
        #expect(Self.changed(data + 49, [0]) == "it has no footer behind byte 148")
    }

    /// A count is not believed before the file has that many bytes.
    @Test(arguments: [20, 24, 28, 32, 36, 40], [0, second])
    func absurdCountsCostNothing(_ place: Int, _ header: Int) {
        #expect(Self.changed(header + place, [0xFF, 0xFF, 0xFF, 0xFF]) != "")
        #expect(Self.changed(header + place, [0x7F, 0xFF, 0xFF, 0xFF]) != "")
    }
}
