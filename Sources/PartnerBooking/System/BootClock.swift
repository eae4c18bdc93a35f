import Glibc

/// The system's boot clock (CLOCK_BOOTTIME). It never jumps, and all processes of one boot
/// share it.
enum BootClock {
    /// Returns microseconds since the system booted.
    static func microseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }

    /// The ID of this boot. nil when the system gives none.
    static let bootID: String? = {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 36)
        guard read(descriptor, &bytes, bytes.count) == bytes.count else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }()
}
