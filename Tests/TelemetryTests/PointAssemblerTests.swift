import JSON
import Telemetry
import Testing

/// Rows are `lap,meta_time,telemetry_name,telemetry_value,timestamp`, times in seconds. The numbers in brackets are
/// those of the quirks in the shared data's README.
@Suite struct PointAssemblerTests {
    @Test func `rows of one instant form one point when the next instant comes (1)`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,131.2,1 2,10,nmot,6100,1 2,11,accx_can,0.5,1")
        #expect(cars.points.isEmpty, "it does not know yet that this was all")
        try cars.add("2,11,accx_can,0.6,2")
        let point = try #require(cars.points.first)
        #expect(point.seq == 1)
        #expect(point.sampled.count == 3)
        #expect(point.time == "2025-09-06T18:40:10.000Z")
        #expect(point.carTime == "2025-09-06T18:40:01.000Z")
        #expect(point.lap == 2)
    }

    @Test func `slower channels are held but not sampled again (1)`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,131.2,1 2,10,accx_can,0.5,1 2,10,accx_can,0.6,2 2,10,accx_can,0.7,3")
        cars.flush()
        #expect(cars.points.map(\.seq) == [1, 2, 3])
        #expect(cars.points[1].sampled[.speed] == nil)
        #expect(cars.points[2].held[.speed] == 131.2)
        #expect(cars.points[2].sampled[.accelerationX] == 0.7)
    }

    @Test func `a point's bytes are Pitwall's wide shape with what is held`() throws {
        var cars = Assembly()
        try cars.addCSV(
            """
            lap,meta_event,meta_time,telemetry_name,telemetry_value,timestamp,vehicle_id
            2,I_R06_2025-09-07,2025-09-06T18:40:41.926Z,speed,131.2,2025-09-05T00:28:20.593Z,GR86-002-000
            2,I_R06_2025-09-07,2025-09-06T18:40:41.926Z,oil,98.5,2025-09-05T00:28:20.593Z,GR86-002-000
            2,I_R06_2025-09-07,2025-09-06T18:40:41.926Z,gear,4,2025-09-05T00:28:20.636Z,GR86-002-000
            """)
        cars.flush()
        #expect(
            cars.points.map(\.json) == [
                #"{"meta_time":"2025-09-06T18:40:41.926Z","timestamp":"2025-09-05T00:28:20.593Z","track":"barber","#
                    + #""chassis":"GR86-002-000","lap":2,"speed_kmh":131.2,"oil":98.5}"#,
                #"{"meta_time":"2025-09-06T18:40:41.926Z","timestamp":"2025-09-05T00:28:20.636Z","track":"barber","#
                    + #""chassis":"GR86-002-000","lap":2,"speed_kmh":131.2,"gear":4}"#,
            ])
        #expect(cars.points[0].track == "barber")
    }

    @Test func `instants follow the car's clock although many rows share a receiver's (2)`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,1,1 2,10,speed,2,2 2,10,speed,3,3")
        cars.flush()
        #expect(cars.points.map { $0.sampled[.speed] } == [1, 2, 3])
        #expect(cars.assembler.counters.stampedAlike == 0)
    }

    @Test func `a late point is numbered, overwrites nothing newer, and is counted (2)`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,100,5 2,10,speed,90,4 2,10,gear,3,4 2,11,accx_can,0.1,6")
        cars.flush()
        #expect(cars.points.map(\.isLate) == [false, true, false])
        #expect(cars.points[1].held[.speed] == 90, "its own value belongs to it")
        #expect(cars.points[2].held[.speed] == 100, "the newer value stays")
        #expect(cars.points[2].held[.gear] == 3, "what was never known is taken from anywhere")
        #expect(cars.assembler.counters.late == 1)
    }

    @Test func `a clock that was set back is taken for the present after some time (2)`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,1,59")
        for instant in 1...70 { try cars.add("2,11,speed,\(instant + 1),0.\(100 + instant)") }
        cars.flush()
        #expect(cars.assembler.counters.clockJumps == 1)
        #expect(cars.assembler.counters.late == 63)
        #expect(cars.points.last?.held[.speed] == 71)
        #expect(cars.assembler.held[.speed] == 71)
    }

    @Test func `a clock that was far ahead once makes nothing late for good (2)`() throws {
        var cars = Assembly()
        try cars.addCSV(
            "lap,telemetry_name,telemetry_value,timestamp,vehicle_id\n2,speed,1,2099-01-01T00:00:00Z,A\n")
        for instant in 1...70 { try cars.add("2,11,speed,\(instant + 1),0.\(100 + instant)") }
        cars.flush()
        #expect(cars.points.last?.isLate == false)
    }

    @Test func `a frozen car clock makes one point of each sample (3, 6)`() throws {
        var cars = Assembly()
        try cars.add("5,48,accx_can,0.1,1 5,48,speed,90,1 5,48,accx_can,0.2,1 5,49,accx_can,0.3,1 5,49,speed,91,1")
        cars.flush()
        #expect(cars.points.map { $0.sampled[.accelerationX] } == [0.1, 0.2, 0.3])
        #expect(cars.points.map { $0.sampled[.speed] } == [90, nil, 91])
        #expect(cars.points.map(\.time).suffix(1) == ["2025-09-06T18:40:49.000Z"])
        #expect(cars.assembler.counters.stampedAlike == 2)
        #expect(cars.assembler.counters.late == 0)
    }

    @Test func `a sample stamped and valued like the one before is a duplicate (6)`() throws {
        var cars = Assembly()
        try cars.add("5,48,accx_can,0.1,1 5,48,speed,90,1 5,48,accx_can,0.1,1 5,48,speed,90,1 5,48,accx_can,0.2,2")
        cars.flush()
        #expect(cars.points.map(\.seq) == [1, 2])
        #expect(cars.assembler.counters.duplicates == 2)
        #expect(cars.assembler.counters.rows == 5)
    }

    @Test func `a sample that differs in one channel outside the catalogue is no duplicate (6)`() throws {
        var cars = Assembly()
        try cars.add("5,48,gear,1,1 5,48,oil,90,1 5,48,gear,1,1 5,48,oil,91,1 5,48,gear,1,1 5,48,oil,91,1")
        cars.flush()
        #expect(cars.points.count == 2)
        #expect(cars.assembler.counters.duplicates == 2)
        #expect(cars.assembler.extras.entries.map(\.value) == [91])
    }

    @Test func `lap 32768 is no lap, and a change of lap begins a point (4)`() throws {
        var cars = Assembly()
        try cars.add("32768,10,speed,1,1 32768,10,nmot,2,1 1,10,gear,3,1")
        cars.flush()
        #expect(cars.points.map(\.lap) == [nil, 1])
        #expect(!cars.points[0].json.contains("lap\""))
        #expect(cars.points[1].json.contains(#""lap":1"#))
    }

    @Test func `newest first gives every point and holds the newest values (5)`() throws {
        var cars = Assembly()
        try cars.add("2,12,speed,3,3 2,12,gear,3,3 2,11,speed,2,2 2,11,gear,2,2 2,10,speed,1,1 2,10,gear,1,1")
        cars.flush()
        #expect(cars.points.map { $0.sampled[.speed] } == [3, 2, 1])
        #expect(cars.assembler.held[.speed] == 3)
        #expect(cars.assembler.counters.late == 2)
        #expect(cars.assembler.counters.clockJumps == 0)
    }

    @Test func `without the receiver's clock the car's is the time, and without any the log's (7)`() throws {
        var cars = Assembly()
        try cars.add("2,,speed,1,1")
        try cars.add("2,,speed,2,")
        cars.flush()
        #expect(cars.points.map(\.time) == ["2025-09-06T18:40:01.000Z", Assembly.logTime.iso8601])
    }

    @Test func `without the car's clock the receiver's tells the instants (7)`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,1, 2,10,nmot,2, 2,11,gear,3,")
        cars.flush()
        #expect(cars.points.map(\.sampled.count) == [2, 1])
    }

    @Test func `any set of channels is a point (7)`() throws {
        var cars = Assembly()
        try cars.add("2,10,ath,50,1 2,10,pbrake_r,1,2 2,10,VBOX_Lat_Min,33.5,3")
        cars.flush()
        #expect(cars.points.map(\.sampled.count) == [1, 1, 1])
        #expect(cars.points[2].held[.throttle] == 50)
        #expect(cars.points[2].held[.latitude] == 33.5)
    }

    @Test func `a wide record is one point with its original bytes, even a repeated one`() throws {
        var cars = Assembly()
        let record = #"{"chassis":"A", "rpm":6100,"x":1,"note":"hé","meta_time":"2025-09-06T18:40:41.926Z"}"#
        try cars.addJSON("[\(record) ,\n\(record)]")
        #expect(cars.points.map(\.json) == [record, record])
        #expect(cars.points.map(\.seq) == [1, 2])
        #expect(cars.assembler.counters.duplicates == 0)
        #expect(cars.assembler.extras.entries.map(\.text) == ["x"])
    }

    @Test func `a wide record closes the open point first`() throws {
        var cars = Assembly()
        try cars.add("2,10,speed,1,1")
        try cars.addJSON(#"{"chassis":"A","rpm":6100}"#)
        #expect(cars.points.map { $0.sampled[.speed] } == [1, nil])
        #expect(cars.points[1].held[.speed] == 1)
    }

    @Test func `at most 64 other channels are kept, and the rest is counted`() throws {
        var cars = Assembly()
        let fields = (100..<170).map { "\"c\($0)\":1" }.joined(separator: ",")
        try cars.addJSON(#"{"chassis":"A",\#(fields)}"#)
        #expect(cars.assembler.extras.entries.count == 64)
        #expect(cars.assembler.counters.extrasDropped == 6)
    }
}
