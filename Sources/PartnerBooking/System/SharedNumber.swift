import CSystem

/// A number that threads read and write without a lock. It guarantees no order with other
/// memory.
///
/// A pointer, whose owner calls `free` once. `@unchecked Sendable` is safe because each access
/// is atomic.
struct SharedNumber: @unchecked Sendable {
    private let number = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

    init() { number.initialize(to: 0) }

    func free() { number.deallocate() }

    @inline(__always)
    var value: UInt64 {
        get { csystem_load(number) }
        nonmutating set { csystem_store(number, newValue) }
    }
}
