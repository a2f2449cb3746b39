import Client
import Commands
import Compression
import Foundation
import Telemetry

/// Sends one file. A batch's number and its rows depend on the file and the options alone, so a batch that is sent again
/// after anything broke off is the same batch, and the node drops it if it has it.
final class Player {
    private let file: String
    private let client: SlipstreamClient
    private let publisher: SlipstreamPublisher
    private var place: PlayPlace
    private let placeFile: PlayPlaceFile
    private var batcher: RowBatcher
    private var totals = PlayTotals()
    private var progress = Progress()
    /// Rows up to and including each batch that is not acknowledged.
    private var unacknowledged: [(sequence: UInt64, rows: Int)] = []
    private var paceStart: (wall: ContinuousClock.Instant, record: Timestamp)?

    init(file: String, node: NodeAddress, speed: Double?, batchRows: Int, isFresh: Bool) throws {
        self.file = file
        placeFile = PlayPlaceFile(for: file)
        let fresh = PlayPlace(batchRows: batchRows, speed: speed)
        place = isFresh ? fresh : try placeFile.read() ?? fresh
        batcher = RowBatcher(rowsMax: place.batchRows, spanMicroseconds: place.speed.map { Int64($0 * 50_000) })
        client = try SlipstreamClient(urls: node.streams)
        publisher = client.publisher(source: place.source, startingAt: place.sequence + 1)
        totals.resumedAt = place.rows
    }

    func run() async throws -> PlayTotals {
        let start = ContinuousClock.now
        let reader = try Gzip.Reader(file)
        let decoder = CSVDecoder()
        let rejections = Task { [publisher] in
            var count = 0
            for await _ in publisher.rejections { count += 1 }
            return count
        }
        let events = Task { [client] in for await event in client.status { printError("\n\(event)") } }
        var buffer: [UInt8] = []
        while true {
            buffer.removeAll(keepingCapacity: true)
            let count = try reader.read(into: &buffer)
            try decode(buffer, with: decoder, isLast: count == 0)
            try await send(reader)
            if count == 0 { break }
        }
        do { try await publisher.flush() } catch SlipstreamError.rejected { /* Counted below. */  }
        events.cancel()
        publisher.close()
        await client.close()
        try placeFile.remove()
        totals.rejected = await rejections.value
        totals.accepted = totals.rows - totals.refusedTotal - totals.rejected
        totals.seconds = (ContinuousClock.now - start) / .seconds(1)
        progress.end("\(file): \(Progress.bar(1)) \(grouped(totals.rows)) rows")
        return totals
    }

    private func decode(_ bytes: [UInt8], with decoder: CSVDecoder, isLast: Bool) throws(Refusal) {
        let result: Result<Void, Refusal> = bytes.withUnsafeBytes { chunk in
            Result { () throws(Refusal) in
                if isLast {
                    try decoder.finish(record: take, refused: refuse)
                    batcher.finish()
                } else {
                    try decoder.feed(chunk, record: take, refused: refuse)
                }
            }
        }
        try result.get()
    }

    private func take(_ line: Int, _ record: borrowing Record) {
        totals.rows += 1
        batcher.add(record)
    }

    private func refuse(_ line: Int, _ refusal: Refusal) {
        totals.rows += 1
        batcher.skipRow()
        totals.refused[refusal.reason.rawValue, default: 0] += 1
        if totals.samples.count < 5 { totals.samples.append("\(file) line \(line): \(refusal)") }
    }

    private func send(_ reader: Gzip.Reader) async throws {
        for batch in batcher.take() where batch.sequence > place.sequence {
            try await pace(batch.time)
            try await publisher.publish(json: batch.json)
            unacknowledged.append((batch.sequence, batch.rowsThrough))
            try notePlace()
            let fraction = Double(reader.bytesRead) / Double(max(1, reader.fileBytes))
            progress.show("\(file): \(Progress.bar(fraction)) \(grouped(batch.rowsThrough)) rows")
        }
    }

    /// Keeps the place of what is durable.
    private func notePlace() throws {
        let through = publisher.acknowledgedThrough
        guard let last = unacknowledged.last(where: { $0.sequence <= through }) else { return }
        unacknowledged.removeAll { $0.sequence <= through }
        place.sequence = last.sequence
        place.rows = last.rows
        try placeFile.write(place)
    }

    /// Waits until it is the batch's turn.
    private func pace(_ time: Timestamp?) async throws {
        guard let speed = place.speed, let time else { return }
        guard let paceStart, time >= paceStart.record else {
            paceStart = (.now, time)
            return
        }
        let due = paceStart.wall + .seconds(time.seconds(since: paceStart.record) / speed)
        try await Task.sleep(until: due)
    }
}
