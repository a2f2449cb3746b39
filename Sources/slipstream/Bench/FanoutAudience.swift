import Glibc
import Synchronization
import Telemetry
import Web

/// WebSocket clients that subscribe, count what comes, and check that each stream comes without a gap or a repeat.
final class FanoutAudience: Sendable {
    struct Counts: Sendable {
        /// Points, over all clients.
        var records = 0
        var frames = 0
        var bytes = 0
    }

    let count: Int
    /// Two threads of clients: one does not keep up with a node.
    private let clients: [WebClient]
    private let ears: [Ear]
    private let sockets: [ClientSocket]

    /// Returns when every client is subscribed.
    init(port: Int, count: Int, hasInsights: Bool, stream: String? = "chassis/*") throws {
        self.count = count
        let clients = [try WebClient(), try WebClient()]
        let include = hasInsights ? "[\"telemetry\",\"insights\",\"alerts\"]" : "[\"telemetry\"]"
        let subscription = stream.map {
            "{\"type\":\"subscribe\",\"id\":\"bench\",\"streams\":[\"\($0)\"],\"include\":\(include)}"
        }
        var (ears, sockets): ([Ear], [ClientSocket]) = ([], [])
        for _ in 0..<count {
            let ear = Ear(subscription)
            ears.append(ear)
            let endpoint = WebEndpoint(host: "127.0.0.1", port: port, path: "/v1/stream")
            sockets.append(clients[ears.count % 2].connect(to: endpoint, handler: ear, timeout: .seconds(30)))
            // No more at a time than the node's backlog holds.
            if ears.count % 50 == 0 { try FanoutAudience.wait(for: ears) }
        }
        try FanoutAudience.wait(for: ears)
        self.clients = clients
        self.ears = ears
        self.sockets = sockets
    }

    func close() {
        for socket in sockets { socket.close() }
        for client in clients { client.shutdown() }
    }

    var counts: Counts {
        ears.reduce(into: Counts()) { sum, ear in
            sum.records += ear.records.load(ordering: .relaxed)
            sum.frames += ear.frames.load(ordering: .relaxed)
            sum.bytes += ear.bytes.load(ordering: .relaxed)
        }
    }

    /// What went wrong, the first of each client.
    var faults: [String] { ears.compactMap { ear in ear.fault.withLock { $0 } } }

    /// Waits until all clients together have had that many points.
    func wait(for records: Int) throws {
        let deadline = monotonicNanoseconds() + 30_000_000_000
        while counts.records < records {
            guard monotonicNanoseconds() < deadline, faults.isEmpty else {
                throw BenchError("\(counts.records) of \(records) records came; \(faults.first ?? "nothing more does")")
            }
            usleep(500)
        }
    }

    private static func wait(for ears: [Ear]) throws {
        let deadline = monotonicNanoseconds() + 30_000_000_000
        while let waiting = ears.last(where: { !$0.isReady.load(ordering: .acquiring) }) {
            guard monotonicNanoseconds() < deadline else {
                throw BenchError("a client was not served: \(waiting.fault.withLock { $0 } ?? "no answer")")
            }
            usleep(500)
        }
    }
}

/// One client.
private final class Ear: WebSocketClientHandler, @unchecked Sendable {
    // `@unchecked`: `last` belongs to the client's thread; everything else is `let` and `Sendable`.
    let records = Atomic(0)
    let frames = Atomic(0)
    let bytes = Atomic(0)
    let isReady = Atomic(false)
    let fault = Mutex<String?>(nil)
    private let subscription: String?
    /// Per stream, named by the hash of its id, the last seq.
    private var last: [UInt64: UInt64] = [:]

    init(_ subscription: String?) { self.subscription = subscription }

    func opened(_ socket: ClientSocket) {
        if let subscription { socket.send(subscription.utf8) } else { isReady.store(true, ordering: .releasing) }
    }

    func closed(_ socket: ClientSocket, code: UInt16?, reason: String) {
        if code != 1000 { fail("closed: \(code.map(String.init) ?? "no code") \(reason)") }
    }

    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket) {
        frames.add(1, ordering: .relaxed)
        bytes.add(message.count, ordering: .relaxed)
        var scan = FrameScan(message)
        guard scan.skip("{\"type\":\"telemetry_update\",\"stream\":\"") else {
            if FrameScan.begins(message, "{\"type\":\"subscribed\"") { isReady.store(true, ordering: .releasing) }
            return
        }
        let stream = StableHash.hash(scan.text())
        guard scan.skip("\",\"lineage\":\""), !scan.text().isEmpty, scan.skip("\",\"prev\":"), let prev = scan.number(),
            scan.skip(",\"seq\":"), let seq = scan.number(), seq > prev
        else { return fail("not a frame: \(String(decoding: message.prefix(120), as: UTF8.self))") }
        if let last = last[stream], last != prev { fail("after \(last) came a frame that follows \(prev)") }
        last[stream] = seq
        records.add(Int(seq - prev), ordering: .relaxed)
    }

    private func fail(_ reason: String) { fault.withLock { if $0 == nil { $0 = reason } } }
}

/// Reads the head of a frame, whose members always come in the same order.
private struct FrameScan {
    private let message: UnsafeRawBufferPointer
    private var place = 0

    init(_ message: UnsafeRawBufferPointer) { self.message = message }

    static func begins(_ message: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        message.starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func skip(_ text: StaticString) -> Bool {
        guard place + text.utf8CodeUnitCount <= message.count, let start = message.baseAddress,
            memcmp(start + place, text.utf8Start, text.utf8CodeUnitCount) == 0
        else { return false }
        place += text.utf8CodeUnitCount
        return true
    }

    /// Up to the next quote.
    mutating func text() -> UnsafeRawBufferPointer {
        let start = place
        while place < message.count, message[place] != UInt8(ascii: "\"") { place += 1 }
        return UnsafeRawBufferPointer(rebasing: message[start..<place])
    }

    mutating func number() -> UInt64? {
        var value: UInt64?
        while place < message.count, case let digit = message[place] &- UInt8(ascii: "0"), digit < 10 {
            value = (value ?? 0) &* 10 &+ UInt64(digit)
            place += 1
        }
        return value
    }
}

/// What a connection costs that is open and hears nothing.
struct IdleConnections {
    private let node: BenchNode
    private let count: Int

    init(_ node: BenchNode, count: Int) {
        self.node = node
        self.count = count
    }

    /// Resident bytes of the node per connection. The first ones pay for what is allocated once and do not count.
    func measure(_ progress: BenchProgress) throws -> [Double] {
        progress.say("\(count) idle connections")
        // One car, so that there is a stream to subscribe to.
        var race = BenchRace(cars: 1)
        let pipe = try HTTPPipe(port: node.port)
        _ = try pipe.exchange(HTTPPipe.post("/api/ingest", race.mixed(steps: 1)))
        let first = try FanoutAudience(port: node.port, count: 100, hasInsights: true)
        defer { first.close() }
        let before = node.residentBytes
        let idle = try FanoutAudience(port: node.port, count: count, hasInsights: true)
        defer { idle.close() }
        return [Double(node.residentBytes - before) / Double(count)]
    }
}
