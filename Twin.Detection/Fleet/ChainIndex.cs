namespace Twin.Detection.Fleet;

/// <summary>
/// Finds entries of a caller's array by hash: chains through two integer arrays, 8 to 16 bytes an entry. Not stored;
/// rebuilt from the entries.
/// </summary>
internal sealed class ChainIndex
{
    private int[] _heads = [];
    private int[] _next = [];

    /// <summary>Makes room for entries 0 to capacity−1 and forgets what was there.</summary>
    public void Reset(int capacity)
    {
        var buckets = 16;
        while (buckets < capacity) buckets *= 2;
        _heads = new int[buckets];
        _next = new int[capacity];
        Array.Fill(_heads, -1);
    }

    public void Add(int entry, ulong hash)
    {
        ref var head = ref _heads[Bucket(hash)];
        _next[entry] = head;
        head = entry;
    }

    public void Remove(int entry, ulong hash)
    {
        ref var at = ref _heads[Bucket(hash)];
        while (at >= 0 && at != entry) at = ref _next[at];
        if (at == entry) at = _next[entry];
    }

    /// <summary>The first entry that may have this hash; −1 when there is none.</summary>
    public int First(ulong hash) => _heads.Length == 0 ? -1 : _heads[Bucket(hash)];

    /// <summary>The next entry of the same chain; −1 at its end.</summary>
    public int Next(int entry) => _next[entry];

    private int Bucket(ulong hash) => (int)(hash & (ulong)(_heads.Length - 1));
}
