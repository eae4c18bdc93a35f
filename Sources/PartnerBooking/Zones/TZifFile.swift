/// The contents of a TZif file (RFC 9636, versions 1 to 4): the changes of the offset, and the
/// rule after them.
///
/// Every count and index comes from the file, so each is checked before its use. No sum of
/// sizes can overflow: a count has 32 bits, and an element at most 12 bytes.
struct TZifFile {
    /// The offset before the first change, in seconds east of UTC.
    private(set) var firstOffset = 0
    /// The changes, in order. A change can keep the offset and change only a name or a flag,
    /// which are not stored.
    private(set) var changes: [ZoneChange] = []
    /// The rule for all time after the last change, or for all time if there is no change. nil
    /// when the file has no rule.
    private(set) var footer: ZoneFooter?

    /// RFC 9636, section 3.2: an offset should be more than -25 hours and less than 26 hours.
    private static let offsetRange = -89_999...93_599

    init(firstOffset: Int, changes: [ZoneChange], footer: ZoneFooter?) {
        (self.firstOffset, self.changes, self.footer) = (firstOffset, changes, footer)
    }

    init(_ bytes: [UInt8]) throws(ZoneError) {
        var reader = Reader(bytes: bytes)
        var header = try reader.header()
        guard header.version != 0 else {
            try readData(&reader, header, timeSize: 4)
            return
        }
        // The first block is only for readers of version 1. It may be empty.
        try reader.skip(header.dataSize(timeSize: 4))
        let first = header
        header = try reader.header()
        guard header.version == first.version else { throw ZoneError(Reason.versionsDiffer) }
        try readData(&reader, header, timeSize: 8)
        footer = try reader.footer()
    }

    private mutating func readData(_ reader: inout Reader, _ header: Header, timeSize: Int) throws(ZoneError) {
        try header.check()
        var instants: [Int] = []
        instants.reserveCapacity(min(header.timeCount, reader.rest / timeSize))
        for index in 0..<header.timeCount {
            let instant = try reader.integer(timeSize)
            guard Zone.instants.contains(instant) else { throw ZoneError(Reason.changeTooFar(index, instant)) }
            guard index == 0 || instants[index - 1] < instant else {
                throw ZoneError(Reason.changeUnordered(index))
            }
            instants.append(instant)
        }
        let types = try reader.take(header.timeCount)
        let offsets = try reader.offsets(header)
        try reader.skip(header.characterCount + header.standardCount + header.universalCount)
        firstOffset = offsets[0]
        changes.reserveCapacity(header.timeCount)
        for (instant, type) in zip(instants, types) {
            guard Int(type) < offsets.count else { throw ZoneError(Reason.noSuchType(type, of: offsets.count)) }
            changes.append(ZoneChange(instant: instant, offset: offsets[Int(type)]))
        }
    }

    private struct Header {
        /// 0 for version 1, an ASCII digit for later versions.
        let version: UInt8
        let universalCount: Int
        let standardCount: Int
        let leapCount: Int
        let timeCount: Int
        let typeCount: Int
        let characterCount: Int

        func dataSize(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4) + standardCount
                + universalCount
        }

        func check() throws(ZoneError) {
            guard leapCount == 0 else {
                throw ZoneError(Reason.leapSeconds)
            }
            guard (1...256).contains(typeCount) else { throw ZoneError(Reason.typeCount(typeCount)) }
            guard characterCount > 0 else { throw ZoneError(Reason.noAbbreviations) }
            for count in [standardCount, universalCount] where count != 0 && count != typeCount {
                throw ZoneError(Reason.indicators(count, types: typeCount))
            }
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        private var place = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var rest: Int { bytes.count - place }

        mutating func take(_ count: Int) throws(ZoneError) -> ArraySlice<UInt8> {
            guard count <= rest else {
                throw ZoneError(Reason.endsTooEarly(place, needs: count, has: rest))
            }
            place += count
            return bytes[place - count..<place]
        }

        mutating func skip(_ count: Int) throws(ZoneError) { _ = try take(count) }

        /// Reads a signed number of four or eight bytes.
        mutating func integer(_ size: Int) throws(ZoneError) -> Int {
            let bits = try take(size).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return size == 4 ? Int(Int32(truncatingIfNeeded: bits)) : Int(Int64(bitPattern: bits))
        }

        private mutating func count() throws(ZoneError) -> Int { try integer(4) & 0xFFFF_FFFF }

        mutating func header() throws(ZoneError) -> Header {
            let start = place
            guard try take(4).elementsEqual("TZif".utf8) else { throw ZoneError(Reason.noHeader(start)) }
            let version = try take(1).first ?? 0
            guard version == 0 || (UInt8(ascii: "2")...UInt8(ascii: "9")).contains(version) else {
                throw ZoneError(Reason.version(version))
            }
            try skip(15)
            return Header(
                version: version, universalCount: try count(), standardCount: try count(), leapCount: try count(),
                timeCount: try count(), typeCount: try count(), characterCount: try count())
        }

        /// Reads the offset of each type of local time.
        mutating func offsets(_ header: Header) throws(ZoneError) -> [Int] {
            var offsets: [Int] = []
            for _ in 0..<header.typeCount {
                let offset = try integer(4)
                let flags = Array(try take(2))
                guard TZifFile.offsetRange.contains(offset) else {
                    throw ZoneError(Reason.offset(offset))
                }
                guard flags[0] <= 1, Int(flags[1]) < header.characterCount else {
                    throw ZoneError(Reason.wrongType)
                }
                offsets.append(offset)
            }
            return offsets
        }

        /// Reads the footer between two line ends after the data.
        mutating func footer() throws(ZoneError) -> ZoneFooter? {
            guard try take(1).first == UInt8(ascii: "\n"),
                let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n"))
            else { throw ZoneError(Reason.noFooter(place)) }
            let text = bytes[place..<end]
            return text.isEmpty ? nil : try ZoneFooter(text)
        }
    }
}

/// An instant at which the offset of a zone changes.
struct ZoneChange: Equatable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    let instant: Int
    /// The offset from then on, in seconds east of UTC.
    let offset: Int
}
