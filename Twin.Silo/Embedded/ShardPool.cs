namespace Twin.Silo.Embedded;

/// <summary>
/// Runs one piece of work on every shard and waits for all: threads of its own, so that nobody else's work delays a
/// barrier.
/// </summary>
internal sealed class ShardPool : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _go;
    private readonly CountdownEvent _done;
    private readonly Exception?[] _errors;
    private Action<int>? _work;
    private volatile bool _stop;

    public ShardPool(int shards)
    {
        Count = shards;
        _errors = new Exception?[shards];
        _go = [.. Enumerable.Range(0, shards).Select(_ => new SemaphoreSlim(0))];
        _done = new CountdownEvent(1);
        _threads = [.. Enumerable.Range(0, shards)
            .Select(i => new Thread(() => Loop(i)) { IsBackground = true, Name = $"shard {i}" })];
        if (shards > 1)
            foreach (var t in _threads) t.Start();
    }

    public int Count { get; }

    /// <summary>
    /// Small work is not worth waking threads for: <paramref name="inline"/> runs it here, shard by shard.
    /// </summary>
    public void Run(bool inline, Action<int> work)
    {
        if (inline || Count == 1)
        {
            for (var i = 0; i < Count; i++) work(i);
            return;
        }
        _work = work;
        _done.Reset(Count);
        foreach (var g in _go) g.Release();
        _done.Wait();
        var errors = _errors.Where(e => e is not null).ToArray();
        Array.Clear(_errors);
        if (errors.Length > 0) throw new AggregateException(errors!);
    }

    private void Loop(int shard)
    {
        while (true)
        {
            _go[shard].Wait();
            if (_stop) return;
            try
            {
                _work!(shard);
            }
            catch (Exception e)
            {
                _errors[shard] = e;
            }
            _done.Signal();
        }
    }

    public void Dispose()
    {
        _stop = true;
        foreach (var g in _go) g.Release();
        if (Count > 1)
            foreach (var t in _threads) t.Join();
        foreach (var g in _go) g.Dispose();
        _done.Dispose();
    }
}
