/// A key of HMAC-SHA256 (RFC 2104).
///
/// Keeps two hash states of the key instead of the key itself. They are as secret as the key,
/// because they can sign. They stay at one address in memory, which `deinit` wipes.
/// `@unchecked Sendable` is safe because nothing writes there after `init`.
final class HMACKey: @unchecked Sendable {
    private let hashes: UnsafeMutablePointer<SHA256>
    private static let blockSize = 64

    /// Replaces a key longer than a block by its hash, as the RFC requires.
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

    /// Returns the 32-byte code of the bytes that `feed` adds.
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
