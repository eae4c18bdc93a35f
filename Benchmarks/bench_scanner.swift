// Times the library's JSON scanner. scanner.py compiles it with the scanner's own sources, because the shared object
// exports no scanner.
//
//     bench_scanner_swift FILE PASSES
import Glibc

@main
enum BenchScanner {
    static func main() {
        guard CommandLine.arguments.count == 3, let passes = Int(CommandLine.arguments[2]), passes > 0 else {
            fatalError("usage: bench_scanner_swift FILE PASSES")
        }
        let text = contents(CommandLine.arguments[1])
        guard JSON.kindOfTopLevelMember("availabilities", in: text, profile: .reply) == .array else {
            fatalError("the scanner refuses the document")
        }
        _ = nanoseconds(text, passes / 4 + 1)  // warms up
        print("{\"bytes\":\(text.count),\"ns\":\(nanoseconds(text, passes))}")
    }

    /// Does to each reply what a search does: checks all of it, and finds the kind of one member.
    private static func nanoseconds(_ text: [UInt8], _ passes: Int) -> Int {
        let begun = now()
        var found = 0
        for _ in 0..<passes where JSON.kindOfTopLevelMember("availabilities", in: text, profile: .reply) == .array {
            found += 1
        }
        let ended = now()
        guard found == passes else { fatalError("the scanner refuses the document") }
        return ended - begun
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func contents(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { fatalError("no such file: \(path)") }
        defer { fclose(file) }
        var text: [UInt8] = []
        var byte = fgetc(file)
        while byte != EOF {
            text.append(UInt8(truncatingIfNeeded: byte))
            byte = fgetc(file)
        }
        return text
    }
}
