import Replication
import Synchronization

/// Keeps what one publisher offers in order. When something of it could not be stored, all that was offered behind it in
/// the same lane is refused as well: stored, it would stand in the log before what will be offered again. Who offers
/// again takes another lane.
package final class AppendLane: Sendable {
    private let state = Mutex<LogError?>(nil)

    package init() {}

    /// Why nothing more goes this way.
    package var failure: LogError? { state.withLock { $0 } }

    func close(_ error: LogError) { state.withLock { $0 = $0 ?? error } }
}
