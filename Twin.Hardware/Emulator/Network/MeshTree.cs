namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// Who can relay for whom below one or more concentrators. Each meter lies in a layer and hears up to
/// <see cref="MaxNeighbours"/> meters of the layer above, or the concentrator; a route always goes to the layer above,
/// so that there are no loops, and changes among those neighbours.
/// </summary>
internal sealed class MeshTree
{
    public const int MaxNeighbours = 3;

    private readonly int[][] _neighbours;
    private readonly int[]?[] _before;
    private readonly bool[] _shunned;
    private readonly byte[] _chosen;
    private readonly float[] _quality;
    private readonly int[] _concentrator;

    /// <param name="concentratorOf">For each meter the number of its concentrator.</param>
    public MeshTree(IReadOnlyList<int> concentratorOf, int maxDepth, ulong seed)
    {
        _concentrator = [.. concentratorOf];
        _neighbours = new int[_concentrator.Length][];
        _before = new int[]?[_concentrator.Length];
        _shunned = new bool[_concentrator.Length];
        _chosen = new byte[_concentrator.Length];
        _quality = new float[_concentrator.Length];
        Depth = new byte[_concentrator.Length];
        foreach (var group in Enumerable.Range(0, _concentrator.Length).GroupBy(m => _concentrator[m]))
            Grow([.. group], maxDepth, new SplitMix64(StableHash.Mix(unchecked(seed + (ulong)group.Key))));
    }

    /// <summary>Hops to the concentrator.</summary>
    public byte[] Depth { get; }

    /// <summary>0.5 to 1.5: how many times the usual loss the link above has.</summary>
    public float Quality(int meter) => _quality[meter];

    /// <summary>The neighbour that relays now, or −1: the concentrator itself.</summary>
    public int Parent(int meter) => _neighbours[meter] is { Length: > 0 } near ? near[_chosen[meter]] : -1;

    /// <summary>
    /// Takes the next neighbour that has power, a shunned one only when there is no better. False when there is none.
    /// </summary>
    public bool Reroute(int meter, bool[] powered) => Take(meter, powered, false) || Take(meter, powered, true);

    private bool Take(int meter, bool[] powered, bool evenShunned)
    {
        var near = _neighbours[meter];
        for (var i = 1; i < near.Length; i++)
        {
            var next = (_chosen[meter] + i) % near.Length;
            if (!powered[near[next]] || _shunned[near[next]] && !evenShunned) continue;
            _chosen[meter] = (byte)next;
            return true;
        }
        return false;
    }

    /// <summary>
    /// Leads routes around a meter; whoever it attracted hears its own neighbours again. How many still go over it,
    /// for want of another.
    /// </summary>
    public int Shun(int relay, bool[] powered)
    {
        _shunned[relay] = true;
        var left = 0;
        for (var m = 0; m < _neighbours.Length; m++)
        {
            if (Parent(m) != relay) continue;
            if (_before[m] is { } before)
            {
                (_neighbours[m], _chosen[m], _before[m]) = (before, 0, null);
                if (Parent(m) != relay) continue;
            }
            if (!Take(m, powered, false)) left++;
        }
        return left;
    }

    public void Trust(int relay) => _shunned[relay] = false;

    /// <summary>
    /// A wormhole: every meter below the first layer of the same concentrator has this one as only neighbour.
    /// </summary>
    public void Attract(int relay)
    {
        if (_neighbours[relay].Length > 0)
            throw new ArgumentException($"Meter {relay} does not hear the concentrator: routes over it could loop.");
        for (var m = 0; m < _neighbours.Length; m++)
            if (_concentrator[m] == _concentrator[relay] && _neighbours[m].Length > 0)
                (_before[m], _neighbours[m], _chosen[m]) = (_before[m] ?? _neighbours[m], [relay], 0);
    }

    /// <summary>Meters whose way now leads through this one, itself included.</summary>
    public IEnumerable<int> Below(int meter)
    {
        for (var m = 0; m < _concentrator.Length; m++)
        {
            if (_concentrator[m] != _concentrator[meter]) continue;
            for (var at = m; at >= 0; at = Parent(at))
            {
                if (at != meter) continue;
                yield return m;
                break;
            }
        }
    }

    private void Grow(int[] meters, int maxDepth, SplitMix64 draw)
    {
        var layers = new List<int>[maxDepth + 1];
        for (var d = 0; d <= maxDepth; d++) layers[d] = [];
        for (var i = 0; i < meters.Length; i++)
        {
            var meter = meters[i];
            // A fifth hears the concentrator; others hang below one of the dozen mounted before them.
            var below = i == 0 || draw.NextDouble() < 0.2 ? 0 : Depth[meters[i - 1 - draw.Next(Math.Min(i, 12))]];
            var depth = Math.Min(below + 1, maxDepth);
            Depth[meter] = (byte)depth;
            _quality[meter] = (float)draw.NextDouble(0.5, 1.5);
            _neighbours[meter] = depth == 1 ? [] : Near(layers[depth - 1], draw);
            layers[depth].Add(meter);
        }
    }

    /// <summary>Up to three of the last dozen of the layer above.</summary>
    private static int[] Near(List<int> layer, SplitMix64 draw)
    {
        var window = layer[Math.Max(0, layer.Count - 12)..];
        var near = new List<int>(MaxNeighbours);
        while (near.Count < MaxNeighbours && window.Count > 0)
        {
            var at = draw.Next(window.Count);
            near.Add(window[at]);
            window.RemoveAt(at);
        }
        return [.. near];
    }
}
