import Telemetry

/// Names one connection.
package struct SessionID: Hashable, Sendable {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
}

/// One client connection of `/v1/stream`: what it subscribed to and what it is owed.
///
/// Nothing waits here but small messages: what streams owe stands in their rings, and a reader is a place in one. So a
/// slow client costs no memory.
final class Session {
    let id: SessionID
    /// Messages about the connection, sent before any update.
    private var messages: [Frame] = []
    private var messageBytes = 0
    private(set) var requests: [String: SubscribeRequest] = [:]
    var readers: [Reader] = []
    /// Readers with something to send, the next first.
    private var queue: [Reader] = []
    private var queueStart = 0
    /// When bytes last went out, or there was nothing to send.
    var lastProgress: Timestamp
    /// Something went out since the last beat, and beats since the last heartbeat.
    var isHeard = false
    var beatsUntold = 0
    /// It was told to go, and its socket has not closed yet.
    var isDismissed = false

    init(id: SessionID, now: Timestamp) {
        self.id = id
        lastProgress = now
    }

    var owesSomething: Bool { !messages.isEmpty || queueStart < queue.count }

    /// - Returns: false when so many messages wait that the client cannot be reading.
    func post(_ frame: Frame) -> Bool {
        guard messageBytes + frame.count <= Session.messageBytesMax else { return false }
        messages.append(frame)
        messageBytes += frame.count
        return true
    }

    func popMessage() -> Frame? {
        guard !messages.isEmpty else { return nil }
        let frame = messages.removeFirst()
        messageBytes -= frame.count
        return frame
    }

    func enqueue(_ reader: Reader) {
        guard !reader.isQueued else { return }
        reader.isQueued = true
        queue.append(reader)
    }

    var nextReader: Reader? { queueStart < queue.count ? queue[queueStart] : nil }

    /// Takes the first reader out of the queue, or puts it at its end.
    func rotate(keeping: Bool) {
        guard let reader = nextReader else { return }
        queueStart += 1
        if keeping { queue.append(reader) } else { reader.isQueued = false }
        if queueStart == queue.count || queueStart > 1_024 {
            queue.removeFirst(queueStart)
            queueStart = 0
        }
    }

    func remember(_ request: SubscribeRequest) { requests[request.id] = request }

    func forget(subscription id: String) -> [Reader]? {
        guard requests.removeValue(forKey: id) != nil else { return nil }
        let gone = readers.filter { $0.subscription == id }
        readers.removeAll { $0.subscription == id }
        queue = queue[queueStart...].filter { $0.subscription != id }
        queueStart = 0
        return gone
    }

    private static let messageBytesMax = 4 << 20
}
