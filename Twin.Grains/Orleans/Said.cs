using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Orleans;

/// <summary>Kinds of thing that a twin says; the number is part of the encoding.</summary>
public enum SaidKind : byte { Letter = 1, Publication = 2, Finding = 3, Score = 4, Ledger = 5 }

/// <summary>
/// What a twin answers to an order, as bytes: verdicts, what it accepted, what it says. Between silos of neighbouring
/// versions, so versioned.
/// </summary>
/// <remarks>
/// Encoding: version; whether the twin waits for a sweep; whether it changed; count of verdicts, each item, status,
/// counts, reason; count of accepted inputs, each item, day, end minute, sealable, bytes; then what was said to the
/// end.
/// </remarks>
internal sealed class Answer(bool keepScores) : IOutbox
{
    public const byte Version = 1;

    private readonly ByteWriter _verdicts = new(), _said = new();
    private int _verdictCount;
    private bool _maySend, _mayPublish;

    public void Begin(bool maySend, bool mayPublish) => (_maySend, _mayPublish) = (maySend, mayPublish);

    public void Verdict(int item, in Admission a)
    {
        _verdictCount++;
        _verdicts.VarUInt((ulong)item);
        a.Write(_verdicts);
    }

    public void Send(TwinKey to, ReadOnlySpan<byte> message)
    {
        if (!_maySend) throw new InvalidOperationException($"A twin writes to {to} outside a closing or a sweep.");
        _said.Byte((byte)SaidKind.Letter);
        KeyCode.Write(_said, to);
        _said.Blob(message);
    }

    public void Publish(ReadOnlySpan<byte> message)
    {
        if (!_mayPublish) throw new InvalidOperationException("A twin publishes without an inbox, or in a sweep.");
        _said.Byte((byte)SaidKind.Publication);
        _said.Blob(message);
    }

    public void Fact(FactKind kind, ReadOnlySpan<byte> fact)
    {
        if (kind == FactKind.Score && !keepScores) return;
        _said.Byte((byte)(kind switch
        {
            FactKind.Finding => SaidKind.Finding,
            FactKind.Ledger => SaidKind.Ledger,
            _ => SaidKind.Score,
        }));
        _said.Blob(fact);
    }

    public byte[] Finish(bool waits, bool changed, TwinDoor? door)
    {
        var to = new ByteWriter(_verdicts.Length + _said.Length + 64);
        to.Byte(Version);
        to.Bool(waits);
        to.Bool(changed);
        to.VarUInt((ulong)_verdictCount);
        to.Bytes(_verdicts.Written);
        to.VarUInt((ulong)(door?.Accepted.Count ?? 0));
        if (door is not null)
        {
            foreach (var a in door.Accepted)
            {
                to.VarUInt((ulong)a.Item);
                to.VarInt(a.Day);
                to.VarInt(a.EndMinute);
                to.Bool(a.Sealable);
                to.Blob(door.Bytes(a));
            }
        }
        to.Bytes(_said.Written);
        return to.ToArray();
    }
}

/// <summary>Reads an <see cref="Answer"/>, part by part, in this order: head, verdicts, accepted, said.</summary>
public ref struct AnswerReader
{
    private ByteReader _r;

    /// <exception cref="InvalidDataException">Damaged, or written by another version.</exception>
    public AnswerReader(ReadOnlySpan<byte> answer)
    {
        _r = new ByteReader(answer);
        if (_r.Byte() is not Answer.Version and var version)
            throw _r.Bad($"a twin answers in version {version}, this MeterTwin knows {Answer.Version}");
        Waits = _r.Bool();
        Changed = _r.Bool();
    }

    public bool Waits { get; }
    public bool Changed { get; }

    public void Verdicts(Admission[] into)
    {
        for (var left = _r.Count(InputBatch.MaxItems); left > 0; left--)
        {
            var item = _r.Count(into.Length - 1);
            into[item] = Admission.Read(ref _r);
        }
    }

    /// <summary>Where accepted inputs lie, counted from the beginning of this answer.</summary>
    public void Accepted(int offset, List<AcceptedInput> into)
    {
        for (var left = _r.Count(int.MaxValue); left > 0; left--)
        {
            var (item, day, end) = (_r.Count(InputBatch.MaxItems), _r.VarInt(), _r.VarInt());
            var isSealable = _r.Bool();
            var length = _r.Blob().Length;
            into.Add(new AcceptedInput(item, offset + _r.Position - length, length, checked((int)day), end,
                isSealable));
        }
    }

    public void SkipToSaid()
    {
        for (var left = _r.Count(InputBatch.MaxItems); left > 0; left--)
        {
            _r.VarUInt();
            _r.Byte();
            for (var i = 0; i < 4; i++) _r.VarUInt();
            _r.Blob();
        }
        for (var left = _r.Count(int.MaxValue); left > 0; left--)
        {
            _r.VarUInt();
            _r.VarInt();
            _r.VarInt();
            _r.Bool();
            _r.Blob();
        }
    }

    /// <summary>The next thing said; false at the end. <paramref name="to"/> is meant for letters only.</summary>
    public bool TryReadSaid(out SaidKind kind, out TwinKey to, out ReadOnlySpan<byte> body)
    {
        kind = default;
        to = default;
        body = default;
        if (_r.AtEnd) return false;
        kind = (SaidKind)_r.Byte((byte)SaidKind.Letter, (byte)SaidKind.Ledger);
        if (kind == SaidKind.Letter) to = KeyCode.Read(ref _r);
        body = _r.Blob();
        return true;
    }
}

/// <summary>A twin's key in messages between silos, and as the name of its grain.</summary>
public static class KeyCode
{
    public static void Write(ByteWriter to, TwinKey key)
    {
        to.Byte((byte)key.Kind);
        to.UInt64(key.Id);
    }

    public static TwinKey Read(ref ByteReader r) => new((TwinKind)r.Byte(), r.UInt64());

    /// <summary>Eighteen hexadecimal digits: kind and id.</summary>
    public static string Name(TwinKey key) => $"{(byte)key.Kind:x2}{key.Id:x16}";

    public static TwinKey Parse(string name) => new(
        (TwinKind)Convert.ToByte(name[..2], 16), Convert.ToUInt64(name[2..], 16));
}
