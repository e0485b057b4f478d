using System.Buffers.Binary;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// The dated relations of one meter in one array, sorted by the day from which they hold. Each row keeps the keys of
/// feeder and cohort, because a closing day needs them for every meter and a key costs a SHA-256.
/// </summary>
internal struct Relations
{
    /// <summary>
    /// Most rows kept. At the bound the oldest is dropped and the next one holds from the oldest's begin.
    /// </summary>
    public const int MaxRows = 32;

    /// <summary>Most bytes of one row's texts; a longer row is rejected at the door.</summary>
    public const int MaxRowBytes = 2048;

    /// <summary>The cohort of meters of which no relation, or neither model, firmware nor lot is known.</summary>
    public const string Unassigned = "unassigned";

    private const int HeadLength = 27;
    private byte[]? _bytes;

    private static readonly ulong UnassignedCohort = TwinKey.Named(TwinKind.Cohort, Unassigned).Id;

    public readonly bool IsEmpty => _bytes is null;

    /// <summary>One row, read in place.</summary>
    public readonly ref struct Row(ReadOnlySpan<byte> head, ReadOnlySpan<byte> texts)
    {
        private readonly ReadOnlySpan<byte> _head = head;

        /// <summary>The payload of <see cref="MeterRelation"/> without its two dates.</summary>
        public readonly ReadOnlySpan<byte> Texts = texts;

        public bool IsNone => _head.IsEmpty;
        public int ValidFrom => BinaryPrimitives.ReadInt32LittleEndian(_head);
        public int ValidTo => BinaryPrimitives.ReadInt32LittleEndian(_head[4..]);
        public MeterRole Role => _head.IsEmpty ? MeterRole.Customer : (MeterRole)_head[8];

        /// <summary>0 when the meter is on no feeder.</summary>
        public ulong Feeder => _head.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(_head[9..]);
        public ulong Cohort => _head.IsEmpty ? UnassignedCohort : BinaryPrimitives.ReadUInt64LittleEndian(_head[17..]);

        public ReadOnlySpan<byte> FeederName()
        {
            if (IsNone) return default;
            var r = new ByteReader(Texts);
            _ = r.Blob();
            _ = r.Byte();
            return r.Blob();
        }

        /// <summary>The concentrator's name; empty when the meter is behind none. The ninth text of a row, after
        /// the role.</summary>
        public ReadOnlySpan<byte> ConcentratorName()
        {
            if (IsNone) return default;
            var r = new ByteReader(Texts);
            _ = r.Blob();
            _ = r.Byte();
            for (var text = 0; text < 8; text++) _ = r.Blob();
            return r.Blob();
        }

        /// <summary>Appends the cohort's name.</summary>
        public void CohortName(ByteWriter to)
        {
            if (Cohort == UnassignedCohort)
            {
                to.Bytes("unassigned"u8);
                return;
            }
            var r = new ByteReader(Texts);
            _ = r.Blob();
            _ = r.Byte();
            _ = r.Blob();
            to.Bytes(r.Blob());
            to.Byte((byte)'|');
            to.Bytes(r.Blob());
            to.Byte((byte)'|');
            to.Bytes(r.Blob());
        }

        public MeterRelation ToInput(MeterId meter)
        {
            var w = new ByteWriter(Texts.Length + 32);
            new Envelope(InputKind.MeterRelation, meter.Twin).Write(w);
            w.Bytes(Texts);
            w.VarInt(ValidFrom);
            w.VarInt(ValidTo);
            return (MeterRelation)Input.Read(w.Written);
        }
    }

    /// <summary>The row that holds on the day: the latest that has begun, unless it has ended.</summary>
    public readonly Row At(int day)
    {
        var found = default(Row);
        for (var at = 0; at < Length; at = Next(at))
        {
            var row = this[at];
            if (row.ValidFrom > day) break;
            found = row;
        }
        return found.IsNone || day >= found.ValidTo ? default : found;
    }

    /// <summary>The meter's name as the earliest row tells it; empty when there is no row.</summary>
    public readonly string Name()
    {
        if (IsEmpty) return "";
        var r = new ByteReader(this[0].Texts);
        return r.Text();
    }

    public readonly bool Contains(MeterRelation relation)
    {
        var texts = TextsOf(relation);
        for (var at = 0; at < Length; at = Next(at))
        {
            var row = this[at];
            if (row.ValidFrom == relation.ValidFromDay && row.ValidTo == relation.ValidToDay
                && row.Texts.SequenceEqual(texts)) return true;
        }
        return false;
    }

    /// <summary>Adds a row; one that begins on the same day is replaced.</summary>
    public void Add(MeterRelation relation)
    {
        var w = new ByteWriter(Length + 256);
        var (rows, added) = (0, false);
        for (var at = 0; at < Length; at = Next(at))
        {
            var from = this[at].ValidFrom;
            if (!added && relation.ValidFromDay <= from)
            {
                Append(w, relation);
                (rows, added) = (rows + 1, true);
            }
            if (from == relation.ValidFromDay) continue;
            w.Bytes(_bytes.AsSpan(at, Next(at) - at));
            rows++;
        }
        if (!added)
        {
            Append(w, relation);
            rows++;
        }
        _bytes = w.ToArray();
        if (rows > MaxRows) MergeOldest();
    }

    private void MergeOldest()
    {
        var from = this[0].ValidFrom;
        _bytes = _bytes!.AsSpan(Next(0)).ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(_bytes, from);
    }

    public readonly MeterRelation[] ToArray(MeterId meter)
    {
        var rows = new List<MeterRelation>();
        for (var at = 0; at < Length; at = Next(at)) rows.Add(this[at].ToInput(meter));
        return [.. rows];
    }

    public static byte[] TextsOf(MeterRelation relation)
    {
        var w = new ByteWriter(256);
        (relation with { ValidFromDay = 0, ValidToDay = 0 }).Write(w);
        return w.Written[Envelope.Length..^2].ToArray(); // two dates of 0 take one byte each
    }

    public readonly void Write(ByteWriter to) => to.Blob(_bytes);

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static Relations Read(MeterId meter, ref ByteReader from)
    {
        var bytes = from.Blob();
        var relations = new Relations { _bytes = bytes.IsEmpty ? null : bytes.ToArray() };
        var rows = 0;
        for (var at = 0; at < relations.Length; at = relations.Next(at), rows++)
        {
            if (rows == MaxRows || relations.Length - at < HeadLength || relations.Next(at) > relations.Length)
                throw from.Bad("a relation is cut off, or there are too many");
            var row = relations[at];
            _ = row.ToInput(meter);
        }
        return relations;
    }

    private readonly int Length => _bytes is null ? 0 : _bytes.Length;
    private readonly int Next(int at) =>
        at + HeadLength + BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at + 25));
    private readonly Row this[int at] => new(_bytes.AsSpan(at, HeadLength),
        _bytes.AsSpan(at + HeadLength, Next(at) - at - HeadLength));

    private static void Append(ByteWriter to, MeterRelation relation)
    {
        var hasCohort = relation.Model.Length + relation.Firmware.Length + relation.Lot.Length > 0;
        var texts = TextsOf(relation);
        Span<byte> head = stackalloc byte[HeadLength];
        BinaryPrimitives.WriteInt32LittleEndian(head, relation.ValidFromDay);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], relation.ValidToDay);
        head[8] = (byte)relation.Role;
        BinaryPrimitives.WriteUInt64LittleEndian(head[9..], relation.Feeder.Length == 0 ? 0
            : TwinKey.Named(TwinKind.Feeder, relation.Feeder).Id);
        BinaryPrimitives.WriteUInt64LittleEndian(head[17..], hasCohort
            ? TwinKey.Named(TwinKind.Cohort, relation.CohortName).Id : UnassignedCohort);
        BinaryPrimitives.WriteUInt16LittleEndian(head[25..], checked((ushort)texts.Length));
        to.Bytes(head);
        to.Bytes(texts);
    }
}
