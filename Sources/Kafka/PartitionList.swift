import CRdkafka
import Replication

/// Partitions of one topic with an offset each, as librdkafka takes them.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ topic: String, _ offsets: [(PartitionID, Int64)]) {
        guard let pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count)) else {
            preconditionFailure("no memory for \(offsets.count) partitions")
        }
        self.pointer = pointer
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(pointer, topic, Int32(partition.number))?.pointee.offset = offset
        }
    }

    var offsets: [(PartitionID, Offset)] {
        elements.map { (PartitionID(Int($0.partition)), Offset($0.offset)) }
    }

    /// The first error of a partition, if there is one.
    var firstError: rd_kafka_resp_err_t? { elements.map(\.err).first { $0 != RD_KAFKA_RESP_ERR_NO_ERROR } }

    private var elements: UnsafeMutableBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeMutableBufferPointer(start: pointer.pointee.elems, count: Int(pointer.pointee.cnt))
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }
}
