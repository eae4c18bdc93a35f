/// SHA-256 (FIPS 180-4), fed piece by piece.
///
/// Our own because the library may use neither a crypto package nor the one inside libcurl, which is not for others to call.
/// All of it lies in one place, without memory of its own, so that `wipe` leaves nothing behind.
struct SHA256 {
    typealias Digest = [UInt8]

    private var state: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// What does not fill a block yet, and how much of it there is.
    private var rest = InlineArray<64, UInt8>(repeating: 0)
    private var restCount = 0
    private var byteCount: UInt64 = 0
    /// The schedule of the block under way: a member, because what was fed can be had from it.
    private var words = InlineArray<64, UInt32>(repeating: 0)

    init() {}

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

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        byteCount &+= UInt64(bytes.count)
        var place = 0
        if restCount > 0 {
            place = min(64 - restCount, bytes.count)
            keep(bytes, from: 0, to: place)
            guard restCount == 64 else { return }
            absorbRest()
        }
        while bytes.count - place >= 64 {
            for index in 0..<16 {
                words[index] = UInt32(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: place + 4 * index, as: UInt32.self))
            }
            absorbWords()
            place += 64
        }
        keep(bytes, from: place, to: bytes.count)
    }

    /// The digest of all that was fed. To be called once.
    mutating func finalize() -> Digest {
        rest[restCount] = 0x80
        restCount += 1
        if restCount > 56 {
            for index in restCount..<64 { rest[index] = 0 }
            absorbRest()
        }
        for index in restCount..<56 { rest[index] = 0 }
        let bitCount = byteCount &* 8
        for index in 0..<8 { rest[56 + index] = UInt8(truncatingIfNeeded: bitCount >> (56 - 8 * UInt64(index))) }
        absorbRest()
        return (0..<32).map { UInt8(truncatingIfNeeded: state[$0 / 4] >> (24 - 8 * UInt32($0 % 4))) }
    }

    /// Forgets all that was fed.
    mutating func forget() { withUnsafeMutableBytes(of: &self, wipe) }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) {
        for place in start..<end {
            rest[restCount] = bytes[place]
            restCount += 1
        }
    }

    private mutating func absorbRest() {
        for index in 0..<16 {
            words[index] = (0..<4).reduce(0) { $0 << 8 | UInt32(rest[4 * index + $1]) }
        }
        absorbWords()
        restCount = 0
    }

    /// Takes the block whose bytes the first sixteen words hold. All the time goes here, so it goes by pointers, and by shifts that
    /// check nothing.
    private mutating func absorbWords() {
        withUnsafeMutablePointer(to: &words) { words in
            let words = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt32.self)
            withUnsafePointer(to: Self.constants) { constants in
                Self.compress(&state, words, UnsafeRawPointer(constants).assumingMemoryBound(to: UInt32.self))
            }
        }
    }

    private static func compress(
        _ state: inout InlineArray<8, UInt32>, _ words: UnsafeMutablePointer<UInt32>,
        _ constants: UnsafePointer<UInt32>
    ) {
        var index = 16
        while index < 64 {
            let (early, late) = (words[index &- 15], words[index &- 2])
            let first = (early &>> 7 | early &<< 25) ^ (early &>> 18 | early &<< 14) ^ early &>> 3
            let second = (late &>> 17 | late &<< 15) ^ (late &>> 19 | late &<< 13) ^ late &>> 10
            words[index] = words[index &- 16] &+ first &+ words[index &- 7] &+ second
            index &+= 1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        index = 0
        while index < 64 {
            let choice = e & f ^ ~e & g
            let majority = a & b ^ a & c ^ b & c
            let turnedE = (e &>> 6 | e &<< 26) ^ (e &>> 11 | e &<< 21) ^ (e &>> 25 | e &<< 7)
            let turnedA = (a &>> 2 | a &<< 30) ^ (a &>> 13 | a &<< 19) ^ (a &>> 22 | a &<< 10)
            let first = h &+ turnedE &+ choice &+ constants[index] &+ words[index]
            let second = turnedA &+ majority
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            index &+= 1
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
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
