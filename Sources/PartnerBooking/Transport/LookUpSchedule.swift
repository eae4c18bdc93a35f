/// A schedule of name look-ups. A pure state machine: names are numbers, and the caller passes
/// the time.
///
/// A look-up takes a thread, and a hanging look-up cannot be stopped. So all requests to one
/// server share a look-up, and the number of look-ups is limited.
struct LookUpSchedule {
    /// The most look-ups at once, including those that hang.
    static let limit = 16
    /// The most look-ups of one name at once.
    static let limitPerName = 2
    /// The time after which a look-up gets a second one beside it. The first may have lost its
    /// packets.
    static let patienceMilliseconds = 2_000

    struct LookUp: Equatable {
        let name: Int
        let startedAt: MonotonicTime
    }

    private(set) var underWay: [LookUp] = []

    func isUnderWay(_ name: Int) -> Bool { underWay.contains { $0.name == name } }

    /// Starts the look-ups that may start, and returns them. `wanted` contains the names that
    /// requests wait for, most urgent first.
    mutating func begin(_ wanted: [Int], now: MonotonicTime) -> [LookUp] {
        var begun: [LookUp] = []
        for name in wanted where underWay.count < Self.limit {
            let starts = underWay.filter { $0.name == name }.map(\.startedAt)
            let isDue = starts.max().map { $0.adding(milliseconds: Self.patienceMilliseconds) <= now } ?? true
            guard isDue, starts.count < Self.limitPerName else { continue }
            let lookUp = LookUp(name: name, startedAt: now)
            underWay.append(lookUp)
            begun.append(lookUp)
        }
        return begun
    }

    mutating func ended(_ lookUp: LookUp) {
        if let place = underWay.firstIndex(of: lookUp) { underWay.remove(at: place) }
    }
}
