/// Something that happened to a connection, for people: the client goes on by itself.
public struct ConnectionEvent: Sendable, Equatable, CustomStringConvertible {
    public enum Change: Sendable, Equatable {
        case connected(url: String)
        case disconnected(reason: String)
        /// The next attempt is made after this time; without it, at once.
        case retrying(after: Duration)
        /// A node left out what lies between the two seqs. The client asks for it again, on a new connection.
        case gap(stream: String, after: UInt64, before: UInt64)
    }

    /// Whose connection it is: `updates of chassis/*`, `publisher pit-wall-7`.
    public let purpose: String
    public let change: Change

    public var description: String {
        switch change {
        case .connected(let url): "\(purpose): connected to \(url)"
        case .disconnected(let reason): "\(purpose): disconnected, \(reason)"
        case .retrying(let after):
            "\(purpose): trying again in \(Int64((after / .milliseconds(1)).rounded())) ms"
        case .gap(let stream, let after, let before):
            "\(purpose): \(stream) lacks what lies between \(after) and \(before); asking again"
        }
    }
}
