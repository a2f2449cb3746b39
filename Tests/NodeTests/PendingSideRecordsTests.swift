import Kafka
import Telemetry
import Testing

@testable import Node

@Suite struct PendingSideRecordsTests {
    private func record(_ number: Int, bytes: Int = 0) -> SideRecord {
        SideRecord(topic: "t", key: Array("\(number)".utf8), value: [UInt8](repeating: 0, count: bytes), headers: [])
    }

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    @Test func `a replica that comes to lead writes what is younger than the limit, in order`() {
        var pending = PendingSideRecords()
        for second in 0..<30 { pending.add(record(second), at: at(Int64(second))) }
        pending.forgetOld(at: at(30))
        #expect(pending.takeAll() == (20..<30).map { record($0) })
        #expect(pending.isEmpty)
        #expect(pending.takeAll() == [])
    }

    @Test func `it is bounded in bytes, and the oldest go`() {
        var pending = PendingSideRecords()
        for number in 0..<1_000 { pending.add(record(number, bytes: 10_000), at: at(0)) }
        let kept = pending.takeAll()
        #expect(kept.last == record(999, bytes: 10_000))
        #expect((90...110).contains(kept.count), "\(kept.count)")
    }
}
