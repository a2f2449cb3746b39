import JSON
import Synchronization
import Telemetry

/// Publishes records so that each counts exactly once, whatever happens to connections and nodes meanwhile.
///
/// Every publish gets a number and is kept until a node says that it is durable; what is in doubt is sent again, and
/// nodes drop what repeats. The order of publishes is kept.
///
/// ```swift
/// let publisher = client.publisher(source: "pit-wall-7")
/// try await publisher.publish([record])
/// try await publisher.flush()  // Everything is durable now.
/// ```
public final class SlipstreamPublisher: Sendable {
    /// The name under which nodes know the numbers.
    public let source: String
    /// Records that nodes did not take, as they say so; for one task. ``flush()`` tells too.
    public let rejections: AsyncStream<RejectedRecord>

    private let shell: SessionShell<PublisherCore>
    private let client: ClientCore
    private let member: Int?
    private let parser = Mutex(JSONParser())

    init(_ client: ClientCore, source: String, firstSeq: UInt64) {
        self.client = client
        self.source = source
        let (stream, continuation) = AsyncStream.makeStream(
            of: RejectedRecord.self, bufferingPolicy: .bufferingNewest(1_000))
        rejections = stream
        let settings = client.settings
        let session = PublisherSession(
            source: source, firstSeq: firstSeq, urlCount: client.urls.count, timing: settings.timing)
        let limits = PublisherLimits(
            waitingBytes: settings.publisherBytes, waitingRecords: settings.publisherRecords)
        let shell = SessionShell(
            PublisherCore(session, limits: limits, rejections: continuation), over: client.transport,
            epoch: client.epoch
        ) { [weak client] report in client?.report(report, of: "publisher \(source)") }
        self.shell = shell
        member = client.join { shell.close() }
        member == nil ? shell.close() : shell.start()
    }

    deinit { close() }

    /// Publishes these records, in one piece. Returns when they are taken for sending, not when they are durable.
    ///
    /// Waits while more than ``ClientSettings/publisherBytes`` or ``ClientSettings/publisherRecords`` are
    /// unacknowledged.
    /// - Returns: the number of the publish.
    /// - Throws: `.badRecords`, `.tooLarge`: nothing is published, correct it. `.cancelled` while waiting: nothing is
    ///   published. `.closed`, `.refused`, `.protocolViolation`: no more can be published.
    @discardableResult
    public func publish(_ records: [TelemetryRecord]) async throws(SlipstreamError) -> UInt64 {
        var json = JSONWriter(reserving: records.count * 256)
        json.raw("[")
        for (place, record) in records.enumerated() {
            if place > 0 { json.comma() }
            try record.write(into: &json)
        }
        json.raw("]")
        return try await publish(json.bytes, count: records.count)
    }

    /// As ``publish(_:)-(TelemetryRecord)``, for records that are JSON already: one object or an array of them, in any
    /// of the shapes that nodes take.
    @discardableResult
    public func publish(json: some Collection<UInt8>) async throws(SlipstreamError) -> UInt64 {
        let text = Array(json)
        let (isArray, count) = try check(text)
        return try await publish(isArray ? text : [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")], count: count)
    }

    @discardableResult
    public func publish(json: String) async throws(SlipstreamError) -> UInt64 { try await publish(json: json.utf8) }

    /// Waits until everything published so far is durable.
    /// - Throws: `.rejected` with what nodes did not take since the last flush; all else is durable. Else as
    ///   ``publish(_:)-(TelemetryRecord)``.
    public func flush() async throws(SlipstreamError) {
        let ticket = shell.withCore { $0.newTicket() }
        _ = try await waiting(ticket) { core, waiter in core.flush(ticket: ticket, waiter) }
    }

    /// The last number that is durable (or rejected), and the last one given. A program that wants to publish exactly
    /// once across its own restarts keeps the first with its place in its input, and begins a new publisher of the same
    /// source with the number after it.
    public var acknowledgedThrough: UInt64 { shell.withCore { $0.settledThrough } }
    public var lastSeq: UInt64 { shell.withCore { $0.lastSeq } }

    /// Stops. What is not acknowledged may or may not have arrived; `flush` first.
    public func close() {
        if let member { client.leave(member) }
        shell.close()
    }

    // MARK: Waiting

    /// More than this a node does not take in one message.
    static let bytesMax = Limits.bodyBytes - 1_024

    private func publish(_ records: [UInt8], count: Int) async throws(SlipstreamError) -> UInt64 {
        guard records.count <= Self.bytesMax else { throw .tooLarge(bytes: records.count, allowed: Self.bytesMax) }
        if let result = shell.step({ core, _, _ in core.publish(records, count: count) }) { return try result.get() }
        let ticket = shell.withCore { $0.newTicket() }
        return try await waiting(ticket) { core, waiter in
            core.wait(records, count: count, ticket: ticket, waiter)
        }
    }

    private func waiting(
        _ ticket: Int, _ begin: @Sendable (inout PublisherCore, PublisherCore.Waiter) -> [ShellAction]
    ) async throws(SlipstreamError) -> UInt64 {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in shell.step { core, _, _ in begin(&core, waiter) } }
        } onCancel: {
            shell.step { core, _, _ in core.cancel(ticket) }
        }
        shell.withCore { $0.forget(ticket) }
        return try result.get()
    }

    private func check(_ text: [UInt8]) throws(SlipstreamError) -> (isArray: Bool, count: Int) {
        let result: Result<(Bool, Int), JSONError> = parser.withLock { parser in
            text.withUnsafeBytes { bytes in
                Result { () throws(JSONError) in
                    try parser.withTape(of: bytes) { tape in
                        let isRight = tape.invalidCount == 0 && [.object, .array].contains(tape[0].kind)
                        return (tape[0].kind == .array, isRight ? (tape[0].kind == .array ? tape[0].count : 1) : -1)
                    }
                }
            }
        }
        let (isArray, count): (Bool, Int)
        do { (isArray, count) = try result.get() } catch { throw .badRecords(error.description) }
        guard count >= 0 else { throw .badRecords("neither one object nor an array, or with values JSON has not") }
        return (isArray, count)
    }
}
