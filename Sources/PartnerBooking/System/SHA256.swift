import CSystem

/// A SHA-256 hash (FIPS 180-4), fed piece by piece.
///
/// The library has its own, because it may use no crypto package, and the hash inside libcurl
/// is not public. All state is in one place, without memory of its own, so that `wipe` leaves
/// nothing behind.
struct SHA256 {
    typealias Digest = [UInt8]

    private var state: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// The bytes that do not fill a block yet, and their number.
    private var rest = InlineArray<64, UInt8>(repeating: 0)
    private var restCount = 0
    private var byteCount: UInt64 = 0
    /// The schedule of the current block. It reveals the input, so it is a member that `wipe`
    /// reaches.
    private var words = InlineArray<64, UInt32>(repeating: 0)

    /// True when the processor's SHA instructions are not used.
    private let isPortable: Bool

    init(isPortable: Bool = false) { self.isPortable = isPortable }

    static func digest(of bytes: [UInt8]) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    mutating func update(_ byte: UInt8) {
        rest[restCount] = byte
        restCount &+= 1
        byteCount &+= 1
        if restCount == 64 { absorbRest() }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard var place = bytes.baseAddress else { return }
        var count = bytes.count
        byteCount &+= UInt64(count)
        if restCount > 0 {
            let missing = min(64 &- restCount, count)
            keep(place, missing)
            guard restCount == 64 else { return }
            absorbRest()
            place += missing
            count &-= missing
        }
        if count >= 64 {
            let whole = count & ~63
            absorb(place, blocks: whole / 64)
            place += whole
            count &-= whole
        }
        keep(place, count)
    }

    /// Returns the digest of the whole input. Call it once.
    mutating func finalize() -> Digest {
        end()
        return Digest(unsafeUninitializedCapacity: 32) { digest, count in
            let digest = UnsafeMutableRawBufferPointer(digest)
            for index in 0..<8 {
                digest.storeBytes(of: state[index].bigEndian, toByteOffset: 4 &* index, as: UInt32.self)
            }
            count = 32
        }
    }

    /// Returns the first eight bytes of the digest, big-endian. Call it once, instead of
    /// `finalize`.
    mutating func finalizedStart() -> UInt64 {
        end()
        return UInt64(state[0]) << 32 | UInt64(state[1])
    }

    private mutating func end() {
        let bitCount = byteCount &* 8
        update(0x80)
        if restCount > 56 { fillRest(to: 64) }
        fillRest(to: 56)
        withUnsafeMutableBytes(of: &rest) { $0.storeBytes(of: bitCount.bigEndian, toByteOffset: 56, as: UInt64.self) }
        absorbRest()
    }

    /// Wipes all state and input.
    mutating func forget() { withUnsafeMutableBytes(of: &self, wipe) }

    /// Fills the current block with zeros up to `count` bytes, and absorbs the block when it is
    /// full.
    private mutating func fillRest(to count: Int) {
        for index in restCount..<count { rest[index] = 0 }
        restCount = count
        if count == 64 { absorbRest() }
    }

    private mutating func keep(_ bytes: UnsafeRawPointer, _ count: Int) {
        withUnsafeMutableBytes(of: &rest) { rest in
            if let start = rest.baseAddress { (start + restCount).copyMemory(from: bytes, byteCount: count) }
        }
        restCount &+= count
    }

    private mutating func absorbRest() {
        let block = rest
        withUnsafeBytes(of: block) { block in
            if let block = block.baseAddress { absorb(block, blocks: 1) }
        }
        restCount = 0
    }

    /// Absorbs blocks of 64 bytes, with the processor's SHA instructions if it has them.
    private mutating func absorb(_ start: UnsafeRawPointer, blocks: Int) {
        if !isPortable, csystem_sha256(&state, start, blocks) != 0 { return }
        for block in 0..<blocks { Self.absorb(start + 64 * block, &state, &words) }
    }

    /// Absorbs the block of 64 bytes at `block`. Hashing spends its time here, so it uses
    /// pointers and unchecked shifts.
    private static func absorb(
        _ block: UnsafeRawPointer, _ state: inout InlineArray<8, UInt32>, _ words: inout InlineArray<64, UInt32>
    ) {
        withUnsafeMutablePointer(to: &words) { words in
            let words = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt32.self)
            schedule(block, words)
            withUnsafePointer(to: constants) { constants in
                compress(&state, words, UnsafeRawPointer(constants).assumingMemoryBound(to: UInt32.self))
            }
        }
    }

    @inline(__always)
    private static func schedule(_ block: UnsafeRawPointer, _ words: UnsafeMutablePointer<UInt32>) {
        var index = 0
        while index < 16 {
            words[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self))
            index &+= 1
        }
        while index < 64 {
            let (early, late) = (words[index &- 15], words[index &- 2])
            let first = turned(turned(early, 18 - 7) ^ early, 7) ^ early &>> 3
            let second = turned(turned(late, 19 - 17) ^ late, 17) ^ late &>> 10
            words[index] = words[index &- 16] &+ first &+ words[index &- 7] &+ second
            index &+= 1
        }
    }

    /// Compresses the block, eight rounds at a time. After eight rounds each variable is in its
    /// place again, so no value has to move.
    @inline(__always)
    private static func compress(
        _ state: inout InlineArray<8, UInt32>, _ words: UnsafePointer<UInt32>, _ constants: UnsafePointer<UInt32>
    ) {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        var index = 0
        while index < 64 {
            let (words, constants) = (words + index, constants + index)
            round(a, b, c, &d, e, f, g, &h, words[0] &+ constants[0])
            round(h, a, b, &c, d, e, f, &g, words[1] &+ constants[1])
            round(g, h, a, &b, c, d, e, &f, words[2] &+ constants[2])
            round(f, g, h, &a, b, c, d, &e, words[3] &+ constants[3])
            round(e, f, g, &h, a, b, c, &d, words[4] &+ constants[4])
            round(d, e, f, &g, h, a, b, &c, words[5] &+ constants[5])
            round(c, d, e, &f, g, h, a, &b, words[6] &+ constants[6])
            round(b, c, d, &e, f, g, h, &a, words[7] &+ constants[7])
            index &+= 8
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
    }

    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ word: UInt32
    ) {
        let choice = (f ^ g) & e ^ g
        let majority = (a | b) & c | a & b
        let first = h &+ word &+ choice &+ turned(turned(turned(e, 25 - 11) ^ e, 11 - 6) ^ e, 6)
        d &+= first
        h = first &+ majority &+ turned(turned(turned(a, 22 - 13) ^ a, 13 - 2) ^ a, 2)
    }

    /// Returns the word rotated to the right. Several rotations are nested:
    /// `turned(w, 2) ^ turned(w, 5)` is `turned(turned(w, 5 - 2) ^ w, 2)`.
    @inline(__always)
    private static func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 { word &>> bits | word &<< (32 &- bits) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

extension [UInt8] {
    /// Two lower-case digits for each byte.
    var hex: String { String(decoding: hexDigits, as: UTF8.self) }

    var hexDigits: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2 * count) { digits, digitCount in
            for byte in self {
                digits[digitCount] = (byte >> 4).hexDigit
                digits[digitCount + 1] = (byte & 15).hexDigit
                digitCount += 2
            }
        }
    }
}

extension UInt8 {
    /// The lower-case hexadecimal digit of a value below 16.
    var hexDigit: UInt8 { self &+ (self < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") &- 10) }
}
