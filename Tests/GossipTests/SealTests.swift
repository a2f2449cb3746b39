import Testing

@testable import Gossip

struct SealTests {
    private func key(_ seed: UInt8) throws -> GossipKey { try GossipKey(bytes: (0..<32).map { $0 &+ seed }) }

    @Test(arguments: [0, 1, 16, 1_360, 100_000])
    func `what was sealed opens to the same bytes, and no two sealings are alike`(count: Int) throws {
        let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let (sender, receiver) = (Seal(try key(1)), Seal(try key(1)))
        let first = sender.seal(plain, as: .datagram)
        let second = sender.seal(plain, as: .datagram)
        #expect(first.count == plain.count + Seal.overhead)
        #expect(first != second)
        #expect(receiver.open(first, as: .datagram) == plain)
        #expect(receiver.open(second, as: .datagram) == plain)
    }

    @Test func `a flip of any byte is refused, and what follows still opens`() throws {
        let seal = Seal(try key(2))
        let sealed = seal.seal(Array("all nodes are well".utf8), as: .frame)
        for index in sealed.indices {
            var flipped = sealed
            flipped[index] ^= 1 << UInt8(index % 8)
            #expect(seal.open(flipped, as: .frame) == nil, "byte \(index)")
        }
        for count in 0..<sealed.count { #expect(seal.open(Array(sealed.prefix(count)), as: .frame) == nil) }
        #expect(seal.open(sealed, as: .frame) == Array("all nodes are well".utf8))
    }

    @Test func `another key, another purpose, or none of both does not open`() throws {
        let sealed = Seal(try key(3)).seal([1, 2, 3], as: .datagram)
        #expect(Seal(try key(4)).open(sealed, as: .datagram) == nil)
        #expect(Seal(try key(3)).open(sealed, as: .frame) == nil)
        #expect(Seal(nil).open(sealed, as: .datagram) == nil)
        #expect(Seal(try key(3)).open([1, 2, 3], as: .datagram) == nil)
    }

    @Test func `without a key bytes pass as they are`() {
        #expect(Seal(nil).seal([1, 2, 3], as: .datagram) == [1, 2, 3])
        #expect(Seal(nil).open([1, 2, 3], as: .datagram) == [1, 2, 3])
    }
}
