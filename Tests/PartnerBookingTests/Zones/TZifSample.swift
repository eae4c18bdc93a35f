@testable import PartnerBooking

/// Writes a TZif file, correct unless it is changed afterwards.
struct TZifSample {
    var version: UInt8 = UInt8(ascii: "2")
    /// The first type is the one before the first change.
    var offsets: [Int] = [0]
    var changes: [(instant: Int, type: UInt8)] = []
    var footer = ""
    /// Whether the block of version 1 has the data too, and indicators of a standard and a UTC clock are there.
    var isFat = false
    var leapSeconds: [(instant: Int, correction: Int)] = []

    var bytes: [UInt8] {
        guard version != 0 else { return header(isEmpty: false) + data(timeSize: 4) }
        return header(isEmpty: !isFat) + (isFat ? data(timeSize: 4) : emptyData) + header(isEmpty: false)
            + data(timeSize: 8) + Array("\n\(footer)\n".utf8)
    }

    /// A zone made of it.
    func zone(_ name: String = "Test/Zone") throws(ZoneError) -> Zone { Zone(name, try TZifFile(bytes)) }

    private func header(isEmpty: Bool) -> [UInt8] {
        let indicators = isFat && !isEmpty ? offsets.count : 0
        let counts =
            isEmpty
            ? [0, 0, 0, 0, 1, 4] : [indicators, indicators, leapSeconds.count, changes.count, offsets.count, 4]
        return Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15) + counts.flatMap { big($0, 4) }
    }

    private var emptyData: [UInt8] { [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8) }

    private func data(timeSize: Int) -> [UInt8] {
        changes.flatMap { big($0.instant, timeSize) } + changes.map(\.type)
            + offsets.flatMap { big($0, 4) + [0, 0] } + Array("ABC\0".utf8)
            + leapSeconds.flatMap { big($0.instant, timeSize) + big($0.correction, 4) }
            + [UInt8](repeating: 0, count: isFat ? 2 * offsets.count : 0)
    }

    private func big(_ number: Int, _ size: Int) -> [UInt8] {
        (0..<size).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

/// The seconds of `2030-03-10T07:00:00Z`, and of a wall time written the same way.
func seconds(_ text: String) -> Int { Timestamp(text)?.instantSeconds ?? .min }
