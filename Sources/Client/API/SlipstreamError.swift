/// Why something cannot go on. Lost connections are none: the client comes back and goes on where it was.
public enum SlipstreamError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not of the form `ws://host:port` or `wss://host:port`. Correct it.
    case badURL(String)
    /// This machine gives no thread or socket.
    case cannotStart(reason: String)
    /// Not of the form `kind/id` or `kind/*`. Correct it.
    case badStream(String)
    /// A position whose lineage is not one that a node gave. Start from `.latest` or `.earliest`.
    case badPosition(stream: String)
    /// The node refused the subscription or the connection, and will again. `code` is for programs.
    case refused(code: String, message: String)
    /// The node wants other credentials.
    case unauthorised(message: String)
    /// What the node says is not in the protocol this version knows; one of both is too old.
    case protocolViolation(String)
    /// Not one JSON object, or an array of them; or a number that JSON has not (NaN, infinity).
    case badRecords(String)
    /// More than one publish may hold, in bytes. Publish fewer records at a time.
    case tooLarge(bytes: Int, allowed: Int)
    /// The node did not take some of the records published since the last flush; all others are durable.
    case rejected(RejectedRecords)
    /// The client, the publisher or the sequence was closed before this was done.
    case closed
    /// The task was cancelled before this was done.
    case cancelled
    /// A sequence of updates can be iterated by one task at a time.
    case alreadyIterating

    public var description: String {
        switch self {
        case .badURL(let url): "\(url) is not a node's address; it must be like ws://localhost:8081"
        case .cannotStart(let reason): "the client cannot start: \(reason)"
        case .badStream(let stream): "\(stream) is not a stream; it must be like chassis/GR86-006-7 or chassis/*"
        case .badPosition(let stream): "the position of \(stream) has no lineage that a node gave"
        case .refused(let code, let message): "the node refused: \(message) (\(code))"
        case .unauthorised(let message): "the node wants other credentials: \(message)"
        case .protocolViolation(let what): "the node says what this version does not understand: \(what)"
        case .badRecords(let why): "these are no records: \(why)"
        case .tooLarge(let bytes, let allowed): "\(bytes) bytes in one publish; \(allowed) are allowed"
        case .rejected(let rejections): "\(rejections.total) records were rejected; the first: \(rejections.first)"
        case .closed: "it is closed"
        case .cancelled: "the task was cancelled"
        case .alreadyIterating: "another task iterates over these updates already"
        }
    }
}

/// A record that a node did not take, or a whole publish.
public struct RejectedRecord: Sendable, Equatable, CustomStringConvertible {
    /// The number that `publish` returned.
    public let sourceSeq: UInt64
    /// Its place in the publish, from 0; `nil`: none of the publish was taken.
    public let index: Int?
    /// What was wrong with it, and its value, shortened.
    public let field: String
    public let value: String
    /// For programs: `not_a_number`, `bad_time`, …
    public let reason: String
    /// For people.
    public let message: String

    public var description: String { "publish \(sourceSeq)\(index.map { ", record \($0)" } ?? ""): \(message)" }
}

/// Records that were rejected, the first hundred of them.
public struct RejectedRecords: Sendable, Equatable {
    /// How many there are in all.
    public internal(set) var total = 0
    public internal(set) var kept: [RejectedRecord] = []

    var first: String { kept.first?.description ?? "unknown" }

    mutating func note(_ rejection: RejectedRecord) {
        total += 1
        if kept.count < 100 { kept.append(rejection) }
    }
}
