/// All zones and links of tzdata for the years 2026 to 2040, for systems without zoneinfo.
///
/// `scripts/zone_table.py` makes the table. Each line has a rule and the names of its zones:
///
///     CET-1CEST,M3.5.0,M10.5.0/3 Africa/Ceuta Arctic/Longyearbyen …
///     <+00>0|0,1772935200=3600 Africa/El_Aaiun …
///
/// The rule is the footer of a TZif file. After a `|` come changes that the footer does not
/// contain: the first offset, then pairs of an instant and the offset from then on. The footer
/// applies from the last instant on.
enum BuiltInZones {
    /// Returns the zone with a name. nil when the table does not have it.
    static func zone(_ name: String) -> Zone? {
        guard let rule = rule(of: name), let file = TZifFile(tableRule: rule) else { return nil }
        return Zone(name, file, builtInVersion: version)
    }

    /// The names, in the order of the table.
    static var names: [String] {
        text.split(separator: newline).flatMap { line in
            line.split(separator: space).dropFirst().map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")

    private static var text: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: table.utf8Start, count: table.utf8CodeUnitCount)
    }

    private static func rule(of name: String) -> ArraySlice<UInt8>? {
        for line in text.split(separator: newline) {
            let words = line.split(separator: space)
            guard words.dropFirst().contains(where: { $0.elementsEqual(name.utf8) }) else { continue }
            return words.first.map { ArraySlice($0) }
        }
        return nil
    }
}

extension TZifFile {
    /// Reads the rule of a line of the table.
    fileprivate init?(tableRule: ArraySlice<UInt8>) {
        let parts = tableRule.split(separator: UInt8(ascii: "|"))
        guard let first = parts.first, let footer = try? ZoneFooter(first) else { return nil }
        var (offset, changes): (Int?, [ZoneChange]) = (0, [])
        if parts.count > 1 {
            let numbers = parts[1].split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "=") }
                .map { Int(String(decoding: $0, as: UTF8.self)) }
            offset = numbers[0]
            for index in stride(from: 1, to: numbers.count - 1, by: 2) {
                guard let instant = numbers[index], let offset = numbers[index + 1] else { return nil }
                changes.append(ZoneChange(instant: instant, offset: offset))
            }
        }
        guard let offset else { return nil }
        self.init(firstOffset: offset, changes: changes, footer: footer)
    }
}
