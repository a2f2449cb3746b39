/// Publishes that no node has acknowledged yet, in order of their numbers.
///
/// They stay until they are acknowledged, so that a new connection can begin with the oldest of them.
struct Outbox: Sendable {
    struct Publish: Sendable {
        let sourceSeq: UInt64
        /// The whole message.
        let message: [UInt8]
        let records: Int
        /// Its rejections were reported: a second acknowledgement, after a reconnect, does not report them again.
        var isReported = false
        /// A node refused it for good; it goes as soon as those before it have gone.
        var isRefused = false
    }

    private var publishes = Queue<Publish>()
    /// How many of them were sent on this connection.
    private var sentCount = 0
    private var sentBytes = 0
    private(set) var bytes = 0
    private(set) var records = 0
    /// The number of the last publish settled, and of the last one taken.
    private(set) var settledThrough: UInt64
    private(set) var lastSeq: UInt64
    /// The highest number that was ever sent: an acknowledgement beyond it is an error.
    private(set) var highestSent: UInt64 = 0

    init(firstSeq: UInt64) {
        precondition(firstSeq > 0, "publishes are numbered from 1")
        settledThrough = firstSeq - 1
        lastSeq = firstSeq - 1
    }

    var isEmpty: Bool { publishes.isEmpty }
    /// The number that `append` takes.
    var nextSeq: UInt64 { lastSeq + 1 }

    mutating func append(_ message: [UInt8], records: Int) {
        lastSeq += 1
        publishes.append(Publish(sourceSeq: lastSeq, message: message, records: records))
        bytes += message.count
        self.records += records
    }

    /// The next message to send; `nil` when none is left or so many are on their way that the window is full.
    mutating func nextToSend(window: Int, windowBytes: Int) -> [UInt8]? {
        guard sentCount < publishes.count, sentCount < window else { return nil }
        let publish = publishes[sentCount]
        guard sentCount == 0 || sentBytes + publish.message.count <= windowBytes else { return nil }
        sentCount += 1
        sentBytes += publish.message.count
        highestSent = max(highestSent, publish.sourceSeq)
        return publish.message
    }

    /// Everything from `sourceSeq` on will be sent again.
    mutating func rewind(to sourceSeq: UInt64) {
        while sentCount > 0, publishes[sentCount - 1].sourceSeq >= sourceSeq {
            sentCount -= 1
            sentBytes -= publishes[sentCount].message.count
        }
    }

    mutating func rewindAll() {
        sentCount = 0
        sentBytes = 0
    }

    /// - Returns: whether the rejections of this publish are news.
    mutating func report(_ sourceSeq: UInt64) -> Bool {
        guard sourceSeq > settledThrough, sourceSeq <= lastSeq else { return false }
        let place = Int(sourceSeq - settledThrough) - 1
        defer { publishes[place].isReported = true }
        return !publishes[place].isReported
    }

    /// Lets go of everything up to this number.
    mutating func settle(through sourceSeq: UInt64) {
        while settledThrough < sourceSeq, !publishes.isEmpty { settleFirst() }
        settleRefused()
    }

    /// Lets go of one publish, once all before it are settled.
    mutating func refuse(_ sourceSeq: UInt64) {
        guard sourceSeq > settledThrough, sourceSeq <= lastSeq else { return }
        publishes[Int(sourceSeq - settledThrough) - 1].isRefused = true
        settleRefused()
    }

    private mutating func settleRefused() {
        while !publishes.isEmpty, publishes[0].isRefused { settleFirst() }
    }

    private mutating func settleFirst() {
        guard let publish = publishes.popFirst() else { return }
        settledThrough = publish.sourceSeq
        bytes -= publish.message.count
        records -= publish.records
        guard sentCount > 0 else { return }
        sentCount -= 1
        sentBytes -= publish.message.count
    }
}
