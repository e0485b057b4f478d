using System.Buffers.Binary;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// One interval as the metrology core measured it. <paramref name="StartMinute"/>: minutes since 1970 by the meter's
/// clock. Energies in Wh, registers at the end of the interval in Wh, voltage in tenths of a volt.
/// </summary>
public readonly record struct IntervalRecord(uint StartMinute, int ImportWh, int ExportWh, uint ImportRegister,
    uint ExportRegister, ushort Voltage, ProfileStatus Status)
{
    public const int Bytes = 23;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, StartMinute);
        BinaryPrimitives.WriteInt32BigEndian(to[4..], ImportWh);
        BinaryPrimitives.WriteInt32BigEndian(to[8..], ExportWh);
        BinaryPrimitives.WriteUInt32BigEndian(to[12..], ImportRegister);
        BinaryPrimitives.WriteUInt32BigEndian(to[16..], ExportRegister);
        BinaryPrimitives.WriteUInt16BigEndian(to[20..], Voltage);
        to[22] = (byte)Status;
    }

    /// <summary>
    /// Adds the row of this interval to a load profile. Rows are registers at the ends of intervals, so that each run
    /// of intervals begins with the register before it.
    /// </summary>
    internal void AddTo(List<ProfileRow> rows, long intervalSeconds, ProfileStatus also = ProfileStatus.None)
    {
        var start = StartMinute * 60L;
        if (rows.Count == 0 || rows[^1].End.Seconds != start)
            rows.Add(new ProfileRow(new UnixTime(start), ProfileStatus.None,
                Math.Max(0, (long)ImportRegister - ImportWh), Math.Max(0, (long)ExportRegister - ExportWh)));
        rows.Add(new ProfileRow(new UnixTime(start + intervalSeconds), Status | also, ImportRegister, ExportRegister));
    }

    public static IntervalRecord Read(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt32BigEndian(from),
        BinaryPrimitives.ReadInt32BigEndian(from[4..]), BinaryPrimitives.ReadInt32BigEndian(from[8..]),
        BinaryPrimitives.ReadUInt32BigEndian(from[12..]), BinaryPrimitives.ReadUInt32BigEndian(from[16..]),
        BinaryPrimitives.ReadUInt16BigEndian(from[20..]), (ProfileStatus)from[22]);
}

/// <summary>
/// Sealed intervals in order: sequence numbers without gaps, each record AES-GCM ciphertext and tag under the metrology
/// key, the nonce made of system title and sequence number. Whoever holds the store can drop or alter bytes, but no
/// altered, exchanged or invented record opens again.
/// </summary>
public sealed class SealedStore
{
    /// <summary>Bytes of a sealed record.</summary>
    public const int RecordBytes = IntervalRecord.Bytes + KeyVault.TagBytes;

    /// <summary>Records kept: 40 days of half-hours. At the bound the oldest gives way.</summary>
    public const int Capacity = 1_920;

    private const int Grow = 48;
    private byte[] _bytes = [];
    private int _start;

    /// <summary>Sequence number of the oldest record held; the first ever is 1.</summary>
    public uint FirstSeq { get; private set; } = 1;

    public int Count { get; private set; }

    /// <summary>Sequence number of the record that comes next.</summary>
    public uint NextSeq => FirstSeq + (uint)Count;

    private int Room => _bytes.Length / RecordBytes;

    /// <summary>The bytes of a record that is held. Whoever has them may alter them: the seal shows it.</summary>
    public Span<byte> Record(uint seq)
    {
        if (seq < FirstSeq || seq >= NextSeq)
            throw new ArgumentOutOfRangeException(nameof(seq), $"Record {seq} is not held: {FirstSeq} to {NextSeq - 1}"
                + " are.");
        return _bytes.AsSpan((int)((_start + seq - FirstSeq) % Room) * RecordBytes, RecordBytes);
    }

    /// <summary>Room for the next record, which counts as held from now on.</summary>
    public Span<byte> Append()
    {
        if (Count == Capacity) DropBefore(FirstSeq + 1);
        if (Count == Room)
        {
            var larger = new byte[Math.Min(Capacity, Room + Math.Max(Grow, Room / 2)) * RecordBytes];
            for (var i = 0; i < Count; i++) Record(FirstSeq + (uint)i).CopyTo(larger.AsSpan(i * RecordBytes));
            (_bytes, _start) = (larger, 0);
        }
        Count++;
        return Record(NextSeq - 1);
    }

    /// <summary>Forgets the records before this one.</summary>
    public void DropBefore(uint seq)
    {
        var n = (int)Math.Min(seq <= FirstSeq ? 0 : seq - FirstSeq, (uint)Count);
        (_start, FirstSeq, Count) = (Room == 0 ? 0 : (_start + n) % Room, FirstSeq + (uint)n, Count - n);
    }
}
