// The input is a TZif file. One that does not begin as such a file is a footer, and also the name of a zone.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzZone(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    do throws(ZoneError) {
        if input.starts(with: "TZif".utf8) {
            check(Zone("Test/Zone", try TZifFile(input)))
        } else {
            checkName(input.text)
            let footer = try ZoneFooter(input[...])
            check(Zone("Test/Zone", TZifFile(firstOffset: 0, changes: [], footer: footer)))
        }
    } catch {
        require(
            error.message.utf8.count < 200 && error.message.utf8.allSatisfy { (0x20...0x7E).contains($0) },
            "a message is a short line: \(error.message.debugDescription)")
    }
    return 0
}

/// A name stays in the folder, and what the table has is a zone.
private func checkName(_ name: String) {
    guard ZoneFile.isName(name) else {
        require((try? ZoneCache.shared.zone(name)) == nil, "no other text is looked for: \(name.debugDescription)")
        return
    }
    require(!name.utf8.contains(0) && !name.contains("."), "a name has no dots: \(name.debugDescription)")
    require(!name.hasPrefix("/") && !name.hasSuffix("/") && !name.contains("//"), "a name has parts: \(name)")
    let isBuiltIn = BuiltInZones.zone(name) != nil
    require(isBuiltIn == BuiltInZones.names.contains(name), "the table has a name or not: \(name)")
}

private func check(_ zone: Zone) {
    var instant = -(1 << 59)
    // Each period begins where the one before it ends.
    for _ in 0..<64 {
        let period = zone.period(at: instant)
        checkPeriod(zone, period)
        guard period.end <= 1 << 40 else { break }
        instant = period.end
    }
    let years = [1_900, 1_999, 2_000, 2_026, 2_040, 2_100, 1_000_000]
    for year in years {
        checkPeriod(zone, zone.period(at: CalendarDate(year: year, month: 1, day: 1).daysSinceEpoch * 86_400))
        checkPeriod(zone, zone.period(at: CalendarDate(year: year, month: 7, day: 1).daysSinceEpoch * 86_400))
    }
    for instant in [Int.min, -(1 << 59), 1 << 59, Int.max] {
        require(zone.local(at: instant).offset == zone.offset(at: instant), "an offset at any time: \(instant)")
        _ = zone.startOfDay(instant)
    }
}

private func checkPeriod(_ zone: Zone, _ period: ZonePeriod) {
    require(period.start < period.end, "a period has a length: \(period)")
    for instant in [period.start, period.start + 1, period.end - 1] where abs(instant) < 1 << 57 {
        require(zone.period(at: instant) == period, "its instants are in it: \(instant) in \(period)")
        require(zone.offset(at: instant) == period.offset, "and have its offset: \(instant) in \(period)")
    }
    for instant in [period.start, period.end] where abs(instant) < 1 << 57 {
        for distance in [-90_000, -3_600, -1, 0, 1, 1_800, 90_000] { checkInstant(zone, instant + distance) }
    }
}

/// An instant is found by its wall time, and what is found has that wall time.
private func checkInstant(_ zone: Zone, _ instant: Int) {
    let local = zone.local(at: instant)
    require(local.wall == instant + zone.offset(at: instant), "a wall time is the instant and the offset: \(instant)")
    switch zone.instants(atWall: local.wall) {
    case .one(let only): require(only == instant && !local.isRepeated, "the only instant is this one: \(only), \(instant)")
    case .two(let first, let second):
        require(first < second && first <= instant, "the first of several: \(first), \(second), \(instant)")
        require(local.isRepeated == (first < instant), "all but the first are repeated: \(instant)")
        for other in [first, second] { require(other + zone.offset(at: other) == local.wall, "each of them: \(other)") }
    case .gap: require(false, "a wall time that is shown is in no gap: \(instant)")
    }
    checkWall(zone, local.wall + 1_800)
    let start = zone.startOfDay(local.day)
    require(start <= instant || zone.local(at: start).day >= local.day, "a day has a start: \(instant)")
}

private func checkWall(_ zone: Zone, _ wall: Int) {
    guard case .gap(let change) = zone.instants(atWall: wall) else { return }
    let (before, after) = (zone.offset(at: change - 1), zone.offset(at: change))
    require(change + before <= wall && wall < change + after, "a change puts the clock over a gap: \(wall), \(change)")
}
