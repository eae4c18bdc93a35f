import Glibc

/// The files of this repository that tests compare the library with.
enum Repository {
    private static let root: String = {
        let path = #filePath
        let folder = "/Tests/PartnerBookingTests/"
        let end = path.indices.last { path[$0...].hasPrefix(folder) } ?? path.startIndex
        return String(path[..<end])
    }()

    /// Returns the lines of a file. None when it cannot be read.
    static func lines(of path: String) -> [Substring] {
        guard let file = fopen("\(root)/\(path)", "re") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }

    /// Returns the rows of the first table below a heading, without its first two lines. No cell may contain a bar.
    static func table(in page: String, below heading: String) -> [[String]] {
        let section = lines(of: page).drop { $0 != heading }.drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
        return section.dropFirst(2).map { line in
            line.split(separator: "|").map { String($0.trimmingSpaces()) }
        }
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        let start = drop { $0 == " " }
        return start[...(start.lastIndex { $0 != " " } ?? start.startIndex)]
    }
}
