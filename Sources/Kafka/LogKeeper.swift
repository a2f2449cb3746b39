import Replication
import Threads

/// The log's own thread: looks after the readers, and closes clients where nobody waits for it.
final class LogKeeper: Sendable {
    private struct Watched {
        let progress: ReaderProgress
        var watchdog = Watchdog()
    }

    private struct State {
        var watched: [Watched] = []
        var disposals: [KafkaConsumer] = []
        var recreated = 0
        var ends = false
        var worker: Worker?
    }

    private let catalog: KafkaClient
    private let topic: String
    private let interval: Duration
    private let state = Monitor(State())

    init(catalog: KafkaClient, topic: String, interval: Duration) throws(KafkaError) {
        self.catalog = catalog
        self.topic = topic
        self.interval = interval
        do throws(ThreadError) {
            let worker = try Worker("kafka keeper") { [self] in run() }
            state.withLock { $0.worker = worker }
        } catch { throw .start(reason: "\(error)") }
    }

    var recreated: Int { state.withLock { $0.recreated } }
    var readerHealth: [KafkaHealth] { state.withLock { $0.watched.compactMap(\.progress.health) } }

    func watch(_ progress: ReaderProgress) { state.withLock { $0.watched.append(Watched(progress: progress)) } }
    func dispose(_ consumer: KafkaConsumer) { state.update { $0.disposals.append(consumer) } }
    func closeReaders() { state.withLock { $0.watched.map(\.progress) }.forEach { $0.close() } }

    func close() {
        state.update { $0.ends = true }
        state.withLock { $0.worker.take() }?.join()
    }

    private func run() {
        var due = ContinuousClock.now + interval
        while true {
            let pause = max(.zero, due - ContinuousClock.now)
            let (disposals, ends) = state.when({ !$0.disposals.isEmpty || $0.ends }, orAfter: pause) { state in
                defer { state.disposals = [] }
                return (state.disposals, state.ends)
            }
            disposals.forEach { $0.close() }
            if ends { return }
            if ContinuousClock.now >= due {
                look()
                due = ContinuousClock.now + interval
            }
        }
    }

    private func look() {
        var watched = state.withLock { state in
            state.watched.removeAll { $0.progress.isClosed }
            return state.watched
        }
        var recreated = 0
        for index in watched.indices {
            let (positions, takes) = watched[index].progress.look
            // Where no broker answers there is nothing to tell: librdkafka is trying.
            guard let ends = try? catalog.ends(of: positions.keys.sorted(), in: topic, within: .seconds(1)),
                watched[index].watchdog.look(positions: positions, ends: ends, takes: takes)
            else { continue }
            recreated += 1
            watched[index].progress.setStuck()
        }
        state.withLock { state in
            state.recreated += recreated
            for index in state.watched.indices {
                let known = watched.first { $0.progress === state.watched[index].progress }
                if let known { state.watched[index].watchdog = known.watchdog }
            }
        }
    }
}
