import Sharding
import Testing

@testable import Gossip

struct ConfigurationTests {
    @Test func `a key is read from hex and from base64`() throws {
        let bytes = (0..<32).map { UInt8($0) }
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
        #expect(try GossipKey(hex).bytes == bytes)
        #expect(try GossipKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").bytes == bytes)
        #expect("\(try GossipKey(hex))".contains("0001") == false)
    }

    @Test(
        arguments: [
            ("", .characters), ("secret", .characters), (String(repeating: "g!", count: 32), .characters),
            ("AAECAwQFBgcICQoLDA0ODw==", .length(bytes: 16)), (String(repeating: "0", count: 62), .characters),
            (String(repeating: "A", count: 44), .length(bytes: 33)),
        ] as [(String, GossipKeyError)])
    func `a text that is no key is refused without repeating it`(text: String, error: GossipKeyError) {
        #expect(throws: error) { try GossipKey(text) }
    }

    @Test(arguments: [
        ("node-1:7946", HostPort(host: "node-1", port: 7_946)), ("[::1]:80", HostPort(host: "::1", port: 80)),
        ("10.0.0.7", HostPort(host: "10.0.0.7", port: 9)), ("[fd00::2]", HostPort(host: "fd00::2", port: 9)),
    ])
    func `a host and a port are read`(text: String, expected: HostPort) throws {
        #expect(try HostPort(text, field: "--join", port: 9) == expected)
    }

    @Test(arguments: ["", ":80", "a:", "a:b", "a:70000", "a:-1", "::1", "[::1", "[::1]80", "a b:1", "a:1:2"])
    func `what is no host and port names the field and the value`(text: String) {
        #expect(throws: GossipError.invalid(field: "--join", value: text, allowed: "host:port or [IPv6 address]:port"))
        {
            try HostPort(text, field: "--join", port: 9)
        }
    }

    @Test func `a port in use, by UDP or TCP, is named`() throws {
        let node = try TestNode("a")
        #expect(throws: GossipError.addressInUse(node.address)) { try TestNode("b", port: node.gossip.port) }
    }

    @Test func `an address of another machine is no address to bind to`() {
        #expect(throws: GossipError.foreignAddress("192.0.2.1:7946")) {
            try TestNode("a", host: "192.0.2.1", port: 7_946)
        }
    }

    @Test func `bound to all addresses a node tells one that others can reach`() throws {
        let node = try TestNode("a", host: "0.0.0.0") { $0.advertise = HostPort(host: "127.0.0.1", port: 0) }
        #expect(node.address == "127.0.0.1:\(node.gossip.port)")
        #expect(throws: GossipError.self) {
            try TestNode("b", host: "0.0.0.0") { $0.advertise = HostPort(host: "0.0.0.0", port: 0) }
        }
    }
}
