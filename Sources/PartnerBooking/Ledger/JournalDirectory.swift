/// The journals of one service in a directory, by their names. Touches no file.
///
/// - `bookings-<service>-<number>.journal`: a journal that a client has, or had.
/// - `bookings-<service>-<number>.into-<other>.journal`: a journal whose bookings are being
///   moved into another one. If its client dies meanwhile, both may have the same bookings.
///   Then only the owner of the other journal moves them.
struct JournalDirectory: Equatable, Sendable {
    struct Name: Hashable, Comparable {
        let number: Int
        /// The journal into which this one is being moved.
        var target: Int?

        static func < (left: Name, right: Name) -> Bool {
            (left.number, left.target ?? 0) < (right.number, right.target ?? 0)
        }
    }

    let path: String
    private let prefix: String

    private static let suffix = ".journal"
    private static let into = ".into-"
    /// Every number with this many digits fits into an `Int`.
    private static let mostDigits = 8

    /// Makes the names from a hash of `service`, the name in the journals. That name itself is
    /// too long for a file name.
    init(_ path: String, service: String) {
        self.path = path
        let hash = Array(SHA256.digest(of: Array(service.utf8)).prefix(4)).hexDigits
        prefix = "bookings-" + String(decoding: hash, as: UTF8.self) + "-"
    }

    func path(of number: Int) -> String { path(of: Name(number: number)) }

    func path(of name: Name) -> String {
        let target = name.target.map { "\(Self.into)\($0)" } ?? ""
        return "\(path)/\(prefix)\(name.number)\(target)\(Self.suffix)"
    }

    /// Returns the names of the service's journals, in order.
    func journals(_ names: [String]) -> [Name] { names.compactMap(name).sorted() }

    private func name(_ text: String) -> Name? {
        guard text.hasPrefix(prefix), text.hasSuffix(Self.suffix) else { return nil }
        let digits = text.utf8.dropFirst(prefix.utf8.count).dropLast(Self.suffix.utf8.count)
        guard let point = digits.firstIndex(of: UInt8(ascii: ".")) else { return number(digits).map { Name(number: $0) } }
        guard digits[point...].starts(with: Self.into.utf8), let number = number(digits[..<point]),
            let target = self.number(digits[point...].dropFirst(Self.into.utf8.count))
        else { return nil }
        return Name(number: number, target: target)
    }

    private func number(_ digits: Substring.UTF8View) -> Int? {
        guard 1...Self.mostDigits ~= digits.count, digits.first != UInt8(ascii: "0"),
            digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// The journals that a client may adopt.
    struct Orphans: Equatable {
        /// Journals that are being moved into the client's own journal. It may have their
        /// bookings already.
        var owed: [Name] = []
        /// The other journals, each with the journals that are being moved into it.
        var groups: [[Name]] = []
    }

    /// Returns the journals that the client with journal `own` may adopt.
    static func orphans(among names: [Name], own: Int) -> Orphans {
        var (orphans, places) = (Orphans(), [Int: Int]())
        let moves = Moves(names)
        for name in names {
            if let target = moves.target(of: name, own: own) {
                if target == own { orphans.owed.append(name) }
            } else if name.number != own {
                places[name.number] = orphans.groups.count
                orphans.groups.append([name])
            }
        }
        for name in names {
            guard let target = moves.target(of: name, own: own), target != own else { continue }
            // If the target is gone, no other journal has those bookings.
            let place = places[target] ?? orphans.groups.count
            places[target] = place
            if place == orphans.groups.count { orphans.groups.append([]) }
            orphans.groups[place].append(name)
        }
        // An owed journal has the same number, and its bookings must be moved first.
        let owed = Set(orphans.owed.map(\.number))
        orphans.groups.removeAll { group in group.contains { owed.contains($0.number) } }
        return orphans
    }

    /// The journals that are being moved, and their targets.
    private struct Moves {
        private var here: Set<Int> = []
        private var targets: [Int: Int] = [:]

        init(_ names: [Name]) {
            for name in names {
                if let target = name.target { targets[name.number] = target } else { here.insert(name.number) }
            }
        }

        /// Returns the journal into which a journal is moved in the end. A target that is
        /// moved itself takes along the bookings moved into it.
        func target(of name: Name, own: Int) -> Int? {
            guard var target = name.target else { return nil }
            for _ in targets {
                guard target != own, !here.contains(target), let next = targets[target] else { break }
                target = next
            }
            return target
        }
    }

    /// Returns the number of a new journal. `taken` is in ascending order.
    static func newNumber(_ taken: [Int]) -> Int {
        var number = 1
        for other in taken where other == number { number += 1 }
        return number
    }
}

/// The limits of one adoption. They keep the opening short, and leave room for the client's
/// own bookings. The rest is for other clients, or for later.
struct AdoptionBudget: Equatable, Sendable {
    /// Number of journals that are open at once. Their records are written together.
    static let files = 32
    /// Number of bookings in doubt that may still be taken over. They are sent at once.
    var doubts: Int
    /// Number of bytes of journals that may still be read.
    var bytes: Int

    /// Returns whether a journal may be read, and counts its bytes. Reading takes time even if
    /// the journal is not adopted.
    mutating func read(bytes count: Int) -> Bool {
        guard count <= bytes else { return false }
        bytes -= count
        return true
    }

    /// Returns whether the bookings in doubt of a journal fit, and counts them.
    mutating func admit(doubts count: Int) -> Bool {
        guard count <= doubts else { return false }
        doubts -= count
        return true
    }
}

extension JournalEntry {
    /// The result of comparing the entries of two journals under one key.
    enum Merger: Equatable {
        /// The first entry stays.
        case same
        /// This entry replaces the first one.
        case other(JournalEntry)
        /// The entries are different bookings. Neither may be forgotten.
        case conflict
    }

    /// Compares what two journals know of a key. One may be an older copy of the other, or the host
    /// has used the key in two processes. The entry that knows more stays. If the state is not
    /// certain, the booking is in doubt: sending it again with its key books nothing twice.
    func merging(_ other: JournalEntry) -> Merger {
        let isSameWish =
            wish.fingerprint == other.wish.fingerprint || isOfVersion1 != other.isOfVersion1
        // The time when a booking was requested is the same in all its records.
        let isSameAttempt = isSameWish && recordedAt == other.recordedAt
        switch (state, other.state) {
        case (.refused, .refused): return recordedAt >= other.recordedAt ? .same : .other(other)
        case (.refused, .booked): return .other(other)
        case (.booked, .refused): return .same
        case (.refused, .unsettled): return isSameAttempt ? .same : .other(other)
        case (.unsettled, .refused): return isSameAttempt ? .other(other) : .same
        case _ where !isSameWish: return .conflict
        case (.booked, .unsettled): return .same
        case (.unsettled, .booked): return .other(other)
        case (.booked(let reply), .booked(let otherReply)):
            var merged = reply == nil && otherReply != nil ? other : self
            merged.isHeard = isHeard || other.isHeard
            return merged == self ? .same : .other(merged)
        case (.unsettled, .unsettled):
            var merged = self
            merged.isWithdrawn = isWithdrawn || other.isWithdrawn
            return merged == self ? .same : .other(merged)
        }
    }

    /// Returns the entry dated by another journal's clock. Its age stays the same. `offset` is
    /// the other clock minus this entry's clock, in microseconds.
    func moved(by offset: Int) -> JournalEntry {
        var moved = self
        moved.clock = min(max(0, clock + offset), JournalContents.lastClock)
        return moved
    }
}

/// The adoption of entries into another journal. A pure state machine: the caller has the files.
struct JournalAdoption {
    /// The knowledge of a key in a journal in use.
    enum Known {
        case nothing
        case entry(JournalEntry)
        /// The key is in flight or in doubt. Nothing can be added to it now.
        case busy
    }

    enum Taking {
        case taken
        /// A key is busy. A later try may succeed.
        case busy
        /// A key has another booking.
        case conflict
    }

    /// New entries, and entries that replace older ones.
    private(set) var entries: [String: JournalEntry] = [:]
    private(set) var order: [String] = []

    /// The new entries in the order in which they came.
    var adopted: [JournalEntry] { order.compactMap { entries[$0] } }

    /// Takes all entries of a journal and of the journals that are being moved into it, or none.
    mutating func take(_ others: [JournalEntry], known: (String) -> Known) -> Taking {
        var (taken, keys) = ([String: JournalEntry](), [String]())
        for other in others {
            switch (taken[other.key] ?? entries[other.key]).map(Known.entry) ?? known(other.key) {
            case .nothing:
                taken[other.key] = other
                keys.append(other.key)
            case .busy: return .busy
            case .entry(let entry):
                switch entry.merging(other) {
                case .same: break
                case .other(let merged): if taken.updateValue(merged, forKey: other.key) == nil { keys.append(other.key) }
                case .conflict: return .conflict
                }
            }
        }
        for key in keys {
            if entries[key] == nil { order.append(key) }
            entries[key] = taken[key]
        }
        return .taken
    }
}
