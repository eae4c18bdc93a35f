// Converts for the tests that compare with Python's zoneinfo, which write to it and read from it.
//
//     conversions ZONEINFO            converts until its input ends; a folder that is not there leaves the built-in table
//     conversions ZONEINFO time       the time of a conversion
//
// A task is a line `local NAME COUNT` or `wall NAME COUNT`, and then COUNT numbers of eight bytes. The answer is a line,
// `zoneinfo`, the version of the built-in table, or `error` with the message. With an instant comes back the offset times
// two, and one more if the wall time is repeated. With a wall time come back three numbers: how many instants there are,
// and these; in a gap the instant of the change, twice.
@preconcurrency import Glibc

@main enum Conversions {
    static func main() {
        let cache = ZoneCache(directories: [CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : ""])
        if CommandLine.arguments.last == "time" { return printTimes(cache) }
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let count = Int(words[2]), let numbers = read(count) else { exit(2) }
            do throws(ZoneError) {
                let zone = try cache.zone(words[1])
                print(zone.builtInVersion ?? "zoneinfo")
                write(words[0] == "local" ? locals(zone, numbers) : walls(zone, numbers))
            } catch {
                print("error \(error.message)")
            }
            fflush(stdout)
        }
    }

    private static func locals(_ zone: Zone, _ instants: [Int]) -> [Int] {
        instants.map { instant in
            let local = zone.local(at: instant)
            // The two ways to an offset must agree. No offset is that large.
            return zone.offset(at: instant) == local.offset ? local.offset * 2 + (local.isRepeated ? 1 : 0) : .max
        }
    }

    private static func walls(_ zone: Zone, _ walls: [Int]) -> [Int] {
        walls.flatMap { wall in
            switch zone.instants(atWall: wall) {
            case .one(let instant): [1, instant, instant]
            case .two(let first, let second): [2, first, second]
            case .gap(let change): [0, change, change]
            }
        }
    }

    private static func read(_ count: Int) -> [Int]? {
        var numbers = [Int](repeating: 0, count: count)
        return fread(&numbers, 8, count, stdin) == count ? numbers : nil
    }

    private static func write(_ numbers: [Int]) { fwrite(numbers, 8, numbers.count, stdout) }

    // MARK: Times

    private static func printTimes(_ cache: ZoneCache) {
        for name in ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Africa/Casablanca"] {
            guard let zone = try? cache.zone(name) else { continue }
            var random = SplitMix64(state: 1)
            // From 2026 to 2040.
            let instants = (0..<100_000).map { _ in Int.random(in: 1_767_225_600..<2_240_524_800, using: &random) }
            let walls = time(instants) { wall in
                if case .one(let instant) = zone.instants(atWall: wall) { instant } else { 0 }
            }
            print(
                name, "offset \(time(instants) { zone.offset(at: $0) }) ns",
                "local \(time(instants) { zone.local(at: $0).wall }) ns", "wall \(walls) ns", separator: ", ")
        }
        print("from the cache \(time(Array(0..<100_000)) { _ in read(cache) }) ns")
        print("from a file \(time(Array(0..<1_000)) { _ in read(ZoneCache()) }) ns")
        print("from the table \(time(Array(0..<1_000)) { _ in read(ZoneCache(directories: [])) }) ns")
    }

    private static func read(_ cache: ZoneCache) -> Int { (try? cache.zone("America/New_York"))?.offset(at: 0) ?? 0 }

    /// The nanoseconds of one call, of the fastest of ten rounds.
    private static func time(_ numbers: [Int], _ body: (Int) -> Int) -> Int64 {
        (0..<10).map { _ in
            let start = MonotonicTime.now()
            let sum = numbers.reduce(0) { $0 &+ body($1) }
            let end = MonotonicTime.now()
            return (end.nanoseconds - start.nanoseconds) / Int64(numbers.count) + (sum == 1 ? 1 : 0)
        }.min() ?? 0
    }
}
