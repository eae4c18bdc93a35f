import Glibc

/// The zones used last. While a zone is kept, its file is not read again.
final class ZoneCache: Sendable {
    /// The cache of this process. If tzdata is updated while the process runs, the old rules
    /// stay.
    static let shared: ZoneCache = {
        // A fork copies the lock. If another thread holds it, no thread of the child can
        // release it.
        pthread_atfork(
            { ZoneCache.shared.zones.lockForFork() },
            { ZoneCache.shared.zones.unlockAfterFork(inChild: false) },
            { ZoneCache.shared.zones.unlockAfterFork(inChild: true) })
        return ZoneCache()
    }()

    private struct Zones {
        var byName: [String: (zone: Zone, lastUse: Int)] = [:]
        var uses = 0

        mutating func use(_ name: String) -> Zone? {
            guard let index = byName.index(forKey: name) else { return nil }
            uses += 1
            byName.values[index].lastUse = uses
            return byName.values[index].zone
        }

        mutating func keep(_ zone: Zone, limit: Int) {
            if byName.count >= limit, let oldest = byName.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                byName[oldest.key] = nil
            }
            uses += 1
            byName[zone.name] = (zone, uses)
        }
    }

    private let zones = Monitor(Zones())
    private let directories: [String]
    private let limit: Int

    init(directories: [String] = ZoneFile.directories, limit: Int = 64) {
        self.directories = directories
        self.limit = limit
    }

    /// Returns the zone with an IANA name from the system's zoneinfo. If the system does not
    /// have it, returns it from the built-in table. Blocks while it reads a small file,
    /// usually only the first time.
    func zone(_ name: String) throws(ZoneError) -> Zone {
        // Checked first, because Swift compares some other characters as equal to letters of a
        // name.
        guard ZoneFile.isName(name) else {
            throw ZoneError(Reason.zoneName(printable(name)))
        }
        if let zone = zones.withLock({ $0.use(name) }) { return zone }
        let (zone, isLasting) = try load(name)
        if isLasting { zones.withLock { $0.keep(zone, limit: limit) } }
        return zone
    }

    /// Returns a zone, and whether to keep it. A file that cannot be read now may be readable
    /// later.
    private func load(_ name: String) throws(ZoneError) -> (Zone, isLasting: Bool) {
        var failure: Int32?
        for directory in directories {
            let path = "\(directory)/\(name)"
            switch try ZoneFile.read(path) {
            case .missing: continue
            case .failed(let error): failure = failure ?? error
            case .bytes(let bytes):
                do throws(ZoneError) {
                    return (Zone(name, try TZifFile(bytes)), true)
                } catch {
                    throw error.at(path)
                }
            }
        }
        if let zone = BuiltInZones.zone(name) { return (zone, failure == nil) }
        if let failure { throw ZoneError(Reason.zoneUnreadable(name, text(of: failure))) }
        throw ZoneError(Reason.noZone(name, directories, tzdata: BuiltInZones.version))
    }

    /// Returns a name from outside in a form that fits one line of a log.
    private func printable(_ name: String) -> String {
        String(name.unicodeScalars.prefix(64).map { $0.isASCII && $0.value > 0x1F && $0 != "\u{7F}" ? Character($0) : "?" })
    }

    private func text(of error: Int32) -> String { strerror(error).map { String(cString: $0) } ?? "error \(error)" }
}
