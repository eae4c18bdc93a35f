/// A key of HMAC-SHA256 (RFC 2104).
///
/// Keeps two hash states of the key and not the key itself. They can sign as well as the key does.
/// They stay in one place in memory, which `deinit` wipes. `@unchecked Sendable` is safe because
/// nothing writes there after `init`.
final class HMACKey: @unchecked Sendable {
    private let hashes: UnsafeMutablePointer<SHA256>
    private static let blockSize = 64

    /// A key longer than a block stands for its hash, as the RFC has it.
    init(_ key: UnsafeRawBufferPointer) {
        hashes = .allocate(capacity: 2)
        hashes.initialize(repeating: SHA256(), count: 2)
        if key.count > Self.blockSize {
            var long = SHA256()
            long.update(key)
            var digest = long.finalize()
            digest.withUnsafeMutableBytes {
                fill(UnsafeRawBufferPointer($0))
                wipe($0)
            }
            long.forget()
        } else {
            fill(key)
        }
    }

    deinit {
        hashes[0].forget()
        hashes[1].forget()
        hashes.deallocate()
    }

    private func fill(_ key: UnsafeRawBufferPointer) {
        withUnsafeTemporaryAllocation(byteCount: Self.blockSize, alignment: 1) { block in
            for place in 0..<2 {
                let pad: UInt8 = place == 0 ? 0x36 : 0x5C
                for index in 0..<Self.blockSize { block[index] = (index < key.count ? key[index] : 0) ^ pad }
                hashes[place].update(UnsafeRawBufferPointer(block))
            }
            wipe(block)
        }
    }

    /// The code of what `feed` feeds: 32 bytes.
    func code(_ feed: (inout SHA256) -> Void) -> [UInt8] {
        var (inner, outer) = (hashes[0], hashes[1])
        feed(&inner)
        outer.update(inner.finalize())
        let code = outer.finalize()
        inner.forget()
        outer.forget()
        return code
    }
}
