/// The library counts in whole numbers, as its JSON does. Swift programs give and get `Duration`.
extension Duration {
    /// In whole milliseconds. A part counts as a whole one, away from zero: a wait does not end too early, and a short time does
    /// not become 0, which often means "never".
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = bounded.components
        let part = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return Int(seconds) * 1_000 + Int(part.quotient + part.remainder.signum())
    }

    /// In whole seconds, rounded likewise.
    var wholeSeconds: Int {
        let (seconds, attoseconds) = bounded.components
        return Int(seconds + attoseconds.signum())
    }

    /// In whole minutes, rounded likewise.
    var wholeMinutes: Int {
        let part = wholeSeconds.quotientAndRemainder(dividingBy: 60)
        return part.quotient + part.remainder.signum()
    }

    /// No longer than every number of milliseconds can be. `components` traps on more seconds than an `Int64` holds.
    private var bounded: Duration {
        let limit = Duration.seconds(9_000_000_000_000_000)
        return min(max(self, .zero - limit), limit)
    }
}
