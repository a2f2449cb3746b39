import Delivery
import Glibc
import Replication
import Storage
import Synchronization
import Telemetry

/// Takes telemetry in datagrams: JSON, or CSV lines without a header. A thread of its own reads, so that a burst waits
/// in the socket's buffer and not behind HTTP.
///
/// Nobody answers a datagram: what is refused or dropped is counted, and a sample of the reasons logged.
final class UDPListener: Sendable {
    struct Counts: Sendable {
        var received: UInt64 = 0
        /// Datagrams that found the log's queue full.
        var dropped: UInt64 = 0
        /// Records that were refused.
        var refused: UInt64 = 0
        var accepted: UInt64 = 0
    }

    let port: Int
    private let descriptor: Int32
    private let counts = Mutex(Counts())
    private let stops = Atomic(false)

    /// - Throws: `NodeError` naming the address when it cannot be had.
    init(host: String, port: Int) throws(NodeError) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .address("udp \(host):\(port)", reason: reasonOfLastError()) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            close(descriptor)
            throw .address("udp \(host):\(port)", reason: "not an IPv4 address")
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            let reason = reasonOfLastError()
            close(descriptor)
            throw .address("udp \(host):\(port)", reason: "\(reason); choose another with --udp-port")
        }
        UDPListener.widen(descriptor)
        self.descriptor = descriptor
        self.port = Int(in_port_t(bigEndian: address.sin_port))
    }

    var currentCounts: Counts { counts.withLock { $0 } }

    /// - Parameter offer: gives records to the log's queue; false when it is full.
    func run(gateway: Gateway, journal: Log, offer: ([NewRecord]) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !stops.load(ordering: .relaxed) {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { continue }  // The time is up, or an empty datagram.
            buffer.withUnsafeBytes {
                take(UnsafeRawBufferPointer(rebasing: $0[..<count]), gateway, journal, offer)
            }
        }
        close(descriptor)
    }

    func stop() { stops.store(true, ordering: .relaxed) }

    private func take(
        _ datagram: UnsafeRawBufferPointer, _ gateway: Gateway, _ journal: Log, _ offer: ([NewRecord]) -> Bool
    ) {
        counts.withLock { $0.received += 1 }
        let first = datagram.first { $0 > 0x20 }
        let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        do throws(Refusal) {
            let accepted = try gateway.take(datagram, as: isJSON ? .json : .line, time: .wall)
            accepted.rejected.forEach { refuse($0.refusal, journal) }
            guard !accepted.records.isEmpty else { return }
            let isTaken = offer(accepted.records)
            counts.withLock { isTaken ? ($0.accepted += UInt64(accepted.count)) : ($0.dropped += 1) }
        } catch { refuse(error, journal) }
    }

    /// The first of each thousand is logged: enough to see what is wrong, never a flood.
    private func refuse(_ refusal: Refusal, _ journal: Log) {
        let before = counts.withLock { counts in
            counts.refused += 1
            return counts.refused - 1
        }
        if before % 1_000 == 0 { journal.notice("datagram refused", [.reason: "\(refusal)"]) }
    }

    /// Room for bursts, and a look at `stops` ten times a second.
    private static func widen(_ descriptor: Int32) {
        var size: Int32 = 8 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}

func reasonOfLastError() -> String { String(cString: strerror(errno)) }
