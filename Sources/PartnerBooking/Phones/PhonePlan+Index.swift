extension PhonePlan {
    /// The index of the whole table. The first access makes it, in up to half a millisecond.
    struct Index: Sendable {
        static let shared = Index()

        /// One more than the place in `plans`, by calling code. 0 for none.
        private var places = [UInt8](repeating: 0, count: 1_000)
        private var plans: [PhonePlan] = []
        /// The calling code, by the two letters of a region. 0 for none.
        private var codes = [UInt16](repeating: 0, count: 26 * 26)
        private var groupings: [Grouping] = []

        private init() {
            for text in TableItems(PhonePlan.groupings, separator: " ") {
                var grouping = Grouping()
                for (place, size) in text.enumerated() { grouping.append(size & 15, at: place) }
                groupings.append(grouping)
            }
            for line in TableItems(PhonePlan.table, separator: "\n") { add(line) }
        }

        private mutating func add(_ line: Slice<UnsafeRawBufferPointer>) {
            var fields = TableItems(line, separator: " ")
            guard let code = fields.next(), let regions = fields.next(), let trunks = fields.next(),
                let exits = fields.next()
            else { return }
            let number = code.reduce(0) { $0 * 10 + Int($1 & 15) }
            let plan = PhonePlan(
                code: number, regions: regions.indices, trunks: trunks.indices, exits: exits.indices,
                rules: exits.endIndex + 1..<line.endIndex)
            plans.append(plan)
            places[number] = UInt8(truncatingIfNeeded: plans.count)
            for region in TableItems(regions) {
                if let place = Self.place(ofRegion: region.prefix(2)) { codes[place] = UInt16(truncatingIfNeeded: number) }
            }
        }

        func plan(_ code: Int) -> PhonePlan? {
            guard places.indices.contains(code), places[code] > 0 else { return nil }
            return plans[Int(places[code]) - 1]
        }

        /// Returns the calling code of a region: ISO 3166, two capital letters.
        func code(ofRegion region: some Collection<UInt8>) -> Int? {
            Self.place(ofRegion: region).flatMap { codes[$0] == 0 ? nil : Int(codes[$0]) }
        }

        private static func place(ofRegion region: some Collection<UInt8>) -> Int? {
            let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
            guard region.count == 2, region.allSatisfy(letters.contains) else { return nil }
            return region.reduce(0) { $0 * 26 + Int($1 - letters.lowerBound) }
        }

        /// Returns the grouping with a name: a small letter, or a capital and a small letter.
        /// `rest` begins after the first letter, and loses the second.
        func grouping(named name: UInt8, _ rest: inout Slice<UnsafeRawBufferPointer>) -> Grouping {
            var place = Int(name) - Int(UInt8(ascii: "a"))
            if place < 0, let second = rest.popFirst() {
                place = 26 * (Int(name) - Int(UInt8(ascii: "A")) + 1) + Int(second) - Int(UInt8(ascii: "a"))
            }
            return groupings.indices.contains(place) ? groupings[place] : Grouping()
        }
    }
}

extension TableItems {
    /// Creates the items of a field of the table.
    init(_ field: PhonePlan.Field, separator: Unicode.Scalar = ",") {
        let table = PhonePlan.table
        let text = UnsafeRawBufferPointer(start: table.utf8Start, count: table.utf8CodeUnitCount)
        self.init(text[field], separator: separator)
    }
}
