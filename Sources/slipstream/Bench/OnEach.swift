import Foundation
import Synchronization

/// Runs `body` for each on a thread of its own, waits for all, and gives what they gave in the same order.
func onEach<Item, Value: Sendable>(
    _ items: [Item], _ body: @escaping (Item) throws -> Value
) throws -> [Value] {
    let work = Work(items: items, body: body)
    let results = Mutex<[Int: Result<Value, any Error>]>([:])
    let finished = DispatchSemaphore(value: 0)
    for place in items.indices {
        Thread {
            let result = Result { try work.body(work.items[place]) }
            results.withLock { $0[place] = result }
            finished.signal()
        }.start()
    }
    for _ in items.indices { finished.wait() }
    let all = results.withLock { $0 }
    return try items.indices.compactMap { try all[$0]?.get() }
}

/// `@unchecked Sendable`: each thread uses an item of its own, and who began them waits for all.
private struct Work<Item, Value>: @unchecked Sendable {
    let items: [Item]
    let body: (Item) throws -> Value
}
