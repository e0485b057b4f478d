using System.Buffers.Binary;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// The r values of recent ECDSA signatures. An r that comes back with another message or another key was made from
/// the same secret number: whoever sees both can compute the private key (FIPS 186-5, appendix A.3 asks for a new one
/// each time). The same message signed again is the same signature (RFC 6979), and no finding.
/// </summary>
public sealed class SignatureRing
{
    /// <summary>Most signatures remembered; at the bound the oldest is overwritten.</summary>
    public const int Capacity = 16_384;

    private const int MaxNameBytes = 12;
    private const byte EncodingVersion = 1;

    /// <summary>40 bytes. Names over 12 bytes are not kept; the id stands for them.</summary>
    private readonly record struct Entry(ulong R, ulong Sender, uint Key, uint Message, ulong NameLow, uint NameHigh,
        bool IsConcentrator);

    private Entry[] _entries = [];
    private int _count, _next;
    private readonly ChainIndex _index = new();

    public int Count => _count;

    /// <summary>
    /// A signature was seen. <paramref name="message"/> tells messages apart, 0 where it is not known which was signed:
    /// then the same r of the same key counts as the same message.
    /// </summary>
    public void Note(ulong r, ulong key, uint message, in Party who, UnixTime at, IFindingSink findings)
    {
        var shortKey = (uint)(key >> 32);
        for (var i = _index.First(r); i >= 0; i = _index.Next(i))
        {
            ref readonly var e = ref _entries[i];
            if (e.R != r) continue;
            var sameKey = e.Key == shortKey;
            if (sameKey && (e.Message == message || e.Message == 0 || message == 0)) return;
            State(e, sameKey, who, at, findings);
            break;
        }
        Add(r, shortKey, message, who);
    }

    private static void State(in Entry earlier, bool sameKey, in Party who, UnixTime at, IFindingSink findings)
    {
        var other = PartyOf(earlier);
        var how = sameKey ? "two different messages of one key" : "signatures of two different keys";
        findings.Add(Repeated(who, other, how, earlier.R, at));
        if (other.Key != who.Key) findings.Add(Repeated(other, who, how, earlier.R, at));
    }

    private static Finding Repeated(in Party about, in Party other, string how, ulong r, UnixTime at) =>
        FleetStatements.Make(about, FindingKind.WeakRandomness, at, at, at, 5, Severity.Critical, 0.98,
            FleetStatements.Randomness, "",
            $"The value r {FleetStatements.Hex(r)} stands in {how}"
                + (other.Key == about.Key ? "" : $", the other of {other.Name}")
                + ": the random source repeats itself and the private key can be computed. Renew the keys.",
            [new Evidence("signatures_with_r", 2, 1, 1, "")]);

    private static Party PartyOf(in Entry e)
    {
        Span<byte> bytes = stackalloc byte[MaxNameBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, e.NameLow);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], e.NameHigh);
        var length = bytes.IndexOf((byte)0);
        var name = Encoding.UTF8.GetString(length < 0 ? bytes : bytes[..length]);
        var key = new TwinKey(e.IsConcentrator ? TwinKind.Concentrator : TwinKind.Meter, e.Sender);
        return new Party(key, name.Length > 0 ? name : new MeterId(e.Sender).ToString());
    }

    private void Add(ulong r, uint key, uint message, in Party who)
    {
        Span<byte> name = stackalloc byte[MaxNameBytes];
        name.Clear();
        if (Encoding.UTF8.GetByteCount(who.Name) <= MaxNameBytes) Encoding.UTF8.GetBytes(who.Name, name);
        Put(new Entry(r, who.Key.Id, key, message, BinaryPrimitives.ReadUInt64LittleEndian(name),
            BinaryPrimitives.ReadUInt32LittleEndian(name[8..]), who.Key.Kind == TwinKind.Concentrator));
    }

    private void Put(in Entry entry)
    {
        if (_count < Capacity && _count == _entries.Length) Grow();
        if (_count == Capacity) _index.Remove(_next, _entries[_next].R);
        else _count++;
        _entries[_next] = entry;
        _index.Add(_next, entry.R);
        _next = (_next + 1) % Capacity;
    }

    private void Grow()
    {
        Array.Resize(ref _entries, Math.Min(Capacity, Math.Max(16, _count * 2)));
        _index.Reset(_entries.Length);
        for (var i = 0; i < _count; i++) _index.Add(i, _entries[i].R);
    }

    /// <summary>Oldest first.</summary>
    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_count);
        for (var n = 0; n < _count; n++)
        {
            ref readonly var e = ref _entries[_count < Capacity ? n : (_next + n) % Capacity];
            to.UInt64(e.R);
            to.UInt64(e.Sender);
            to.VarUInt(e.Key);
            to.VarUInt(e.Message);
            to.VarUInt(e.NameLow);
            to.VarUInt(e.NameHigh);
            to.Bool(e.IsConcentrator);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static SignatureRing Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a ring of signatures");
        var ring = new SignatureRing();
        var count = r.Count(Capacity);
        for (var i = 0; i < count; i++)
            ring.Put(new Entry(r.UInt64(), r.UInt64(), Codes.ReadUInt32(ref r), Codes.ReadUInt32(ref r),
                r.VarUInt(), Codes.ReadUInt32(ref r), r.Bool()));
        return ring;
    }
}
