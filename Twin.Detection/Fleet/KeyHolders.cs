using System.Text;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Who uses which public key (invariant I7 of the verifier: a key is not seen on another serial). Two users: one is a
/// copy of the other. More: the keys were not drawn at random, and a lot of meters shares them. About 40 bytes a key.
/// </summary>
public sealed class KeyHolders
{
    /// <summary>Most keys of a partition. At the bound the older half is forgotten: a late copy of those is missed.
    /// </summary>
    public const int MaxKeys = 65_536;

    /// <summary>Most users of one key that are told apart; at the bound one finding speaks for all further ones.
    /// </summary>
    public const int MaxHolders = 32;

    /// <summary>Most keys with more than one user; further ones are not told apart, see <see cref="MaxHolders"/>.
    /// </summary>
    private const int MaxShared = 4_096;
    private const int MaxNameBytes = 64;
    private const byte EncodingVersion = 1;

    private sealed record SharedKey(int Entry, List<Party> Holders);

    private ulong[] _keys = [];
    private ulong[] _holders = [];
    private bool[] _isConcentrator = [];
    private int[] _nameAt = [];
    private byte[] _names = [];
    private int _count, _nameBytes;
    private readonly ChainIndex _index = new();
    private readonly Dictionary<int, SharedKey> _shared = [];

    public int Count => _count;

    /// <summary>Keys with more than one user.</summary>
    public int Shared => _shared.Count;

    /// <summary>A key is in use. <paramref name="fleet"/>: whom a finding about very many meters is about.</summary>
    public void Note(ulong key, byte slot, in Party who, UnixTime at, in Party fleet, IFindingSink findings)
    {
        var entry = Find(key);
        if (entry < 0)
        {
            Add(key, who);
            return;
        }
        var first = HolderOf(entry);
        if (IsSame(first, who)) return;
        if (!_shared.TryGetValue(entry, out var shared))
        {
            if (_shared.Count == MaxShared) return;
            _shared[entry] = shared = new SharedKey(entry, [first]);
        }
        foreach (var known in shared.Holders)
            if (IsSame(known, who)) return;
        if (shared.Holders.Count == MaxHolders) return;
        shared.Holders.Add(who);
        State(key, slot, shared.Holders, at, fleet, findings);
    }

    /// <summary>One device that the registry knows under a system title and a utility's id is no copy.</summary>
    private static bool IsSame(in Party a, in Party b) => a.Key == b.Key || (a.Name == b.Name && a.Name.Length > 0);

    private static void State(ulong key, byte slot, List<Party> holders, UnixTime at, in Party fleet,
        IFindingSink findings)
    {
        if (holders.Count == 2)
        {
            foreach (var (who, other) in ((Party, Party)[])[(holders[0], holders[1]), (holders[1], holders[0])])
                findings.Add(FleetStatements.Make(who, FindingKind.ClonedKey, at, at, at, 5, Severity.Critical, 0.95,
                    FleetStatements.Keys, "T0849",
                    $"The public key {FleetStatements.Hex(key)} ({(KeySlot)slot}) of {who.Name} is also used by "
                        + $"{other.Name}: one of the two is a copy of the other.",
                    [new Evidence("holders_of_key", 2, 1, 1, "")]) with
                { Cause = SharedCauses.Key(key) });
            return;
        }
        var from = holders.Count == 3 ? 0 : holders.Count - 1;
        for (var i = from; i < holders.Count; i++)
            findings.Add(Duplicate(holders[i], key, holders, at, $"{holders[i].Name} uses"));
        if (holders.Count == MaxHolders)
            findings.Add(Duplicate(fleet, key, holders, at, $"At least {MaxHolders} devices use"));
    }

    private static Finding Duplicate(in Party about, ulong key, List<Party> holders, UnixTime at, string subject) =>
        FleetStatements.Make(about, FindingKind.WeakRandomness, at, at, at, 4, Severity.High, 0.95,
            FleetStatements.Keys, "",
            $"{subject} the public key {FleetStatements.Hex(key)} that {holders.Count} devices share "
                + $"({FleetStatements.Names([.. holders.Select(h => h.Name)], holders.Count, 4)}): their keys were "
                + "not drawn at random, so renew the keys of the whole lot.",
            [new Evidence("holders_of_key", holders.Count, 1, 1, "")]) with
        { Cause = SharedCauses.Key(key) };

    private int Find(ulong key)
    {
        for (var i = _index.First(key); i >= 0; i = _index.Next(i))
            if (_keys[i] == key) return i;
        return -1;
    }

    private Party HolderOf(int entry) => new(
        new TwinKey(_isConcentrator[entry] ? TwinKind.Concentrator : TwinKind.Meter, _holders[entry]), NameOf(entry));

    private string NameOf(int entry) =>
        Encoding.UTF8.GetString(_names.AsSpan(_nameAt[entry] + 1, _names[_nameAt[entry]]));

    private void Add(ulong key, in Party who)
    {
        if (_count == MaxKeys) ForgetOlderHalf();
        if (_count == _keys.Length) Grow(Math.Min(MaxKeys, Math.Max(16, _count + _count / 2)));
        (_keys[_count], _holders[_count]) = (key, who.Key.Id);
        _isConcentrator[_count] = who.Key.Kind == TwinKind.Concentrator;
        _nameAt[_count] = KeepName(who.Name);
        _index.Add(_count++, key);
    }

    private int KeepName(string name)
    {
        Span<byte> bytes = stackalloc byte[MaxNameBytes];
        if (!Encoding.UTF8.TryGetBytes(name, bytes, out var length)) length = 0;
        if (_nameBytes + length + 1 > _names.Length)
            Array.Resize(ref _names, Math.Max(256, (_nameBytes + length + 1) * 3 / 2));
        var at = _nameBytes;
        _names[at] = (byte)length;
        bytes[..length].CopyTo(_names.AsSpan(at + 1));
        _nameBytes += length + 1;
        return at;
    }

    private void Grow(int capacity)
    {
        Array.Resize(ref _keys, capacity);
        Array.Resize(ref _holders, capacity);
        Array.Resize(ref _isConcentrator, capacity);
        Array.Resize(ref _nameAt, capacity);
        _index.Reset(capacity);
        for (var i = 0; i < _count; i++) _index.Add(i, _keys[i]);
    }

    private void ForgetOlderHalf()
    {
        var from = _count / 2;
        var (keys, holders) = (_keys[from.._count], Enumerable.Range(from, _count - from).Select(HolderOf).ToArray());
        var shared = _shared.Where(s => s.Key >= from).OrderBy(s => s.Key).ToArray();
        (_count, _nameBytes) = (0, 0);
        _index.Reset(_keys.Length);
        _shared.Clear();
        for (var i = 0; i < keys.Length; i++) Add(keys[i], holders[i]);
        foreach (var (entry, s) in shared) _shared[entry - from] = new SharedKey(entry - from, s.Holders);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_count);
        for (var i = 0; i < _count; i++)
        {
            to.UInt64(_keys[i]);
            Codes.WriteParty(to, HolderOf(i));
        }
        to.VarUInt((ulong)_shared.Count);
        foreach (var (entry, shared) in _shared.OrderBy(s => s.Key))
        {
            to.VarUInt((ulong)entry);
            to.VarUInt((ulong)shared.Holders.Count);
            foreach (var holder in shared.Holders) Codes.WriteParty(to, holder);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static KeyHolders Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a table of keys");
        var table = new KeyHolders();
        var count = r.Count(MaxKeys);
        for (var i = 0; i < count; i++)
        {
            var key = r.UInt64();
            table.Add(key, Codes.ReadParty(ref r));
        }
        var shared = r.Count(MaxShared);
        for (var i = 0; i < shared; i++)
        {
            var entry = r.Count(Math.Max(0, count - 1));
            var holders = new List<Party>();
            var n = r.Count(MaxHolders);
            for (var h = 0; h < n; h++) holders.Add(Codes.ReadParty(ref r));
            table._shared[entry] = new SharedKey(entry, holders);
        }
        return table;
    }
}
