using Twin.Hardware;

namespace Twin.Silo;

/// <summary>
/// How long one who brings something to a receiver waits after failures in a row: a second, then twice as long each
/// time up to a minute, half of it by chance, so that many senders do not come back at once.
/// </summary>
internal sealed class Backoff(ulong jitterSeed)
{
    private static readonly TimeSpan s_firstWait = TimeSpan.FromSeconds(1), s_longestWait = TimeSpan.FromMinutes(1);

    private readonly SplitMix64 _jitter = new(jitterSeed);
    private readonly Lock _gate = new();
    private string _lastError = "";
    private int _failures;
    private long _retries;

    /// <summary>Failures in a row; 0 when the last try went well.</summary>
    public int Failures
    {
        get
        {
            lock (_gate) return _failures;
        }
    }

    /// <summary>Empty when the last try went well.</summary>
    public string LastError
    {
        get
        {
            lock (_gate) return _lastError;
        }
    }

    /// <summary>Failures since the start.</summary>
    public long Retries
    {
        get
        {
            lock (_gate) return _retries;
        }
    }

    /// <summary>
    /// Repeats a step until it is cancelled, and ends normally then. A step that says false had nothing to do and is
    /// asked again after a look; one that fails in a way that may pass, after the wait.
    /// </summary>
    /// <param name="step">True: there may be more.</param>
    /// <param name="mayPass">The failures after which it is tried again; any other ends the repeating.</param>
    /// <param name="changed">Called after each failure and after the first success behind one.</param>
    /// <param name="look">How often one that had nothing to do looks again.</param>
    /// <param name="clock">Clock of the waits.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task Repeat(Func<CancellationToken, Task<bool>> step, Func<Exception, bool> mayPass, Action changed,
        TimeSpan look, TimeProvider clock, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var wait = look;
                try
                {
                    var more = await step(cancel);
                    if (Recovered()) changed();
                    if (more) continue;
                }
                catch (Exception e) when (mayPass(e))
                {
                    wait = Failed(e.Message);
                    changed();
                }
                await Task.Delay(wait, clock, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The host stops; the cursor says where to go on.
        }
    }

    /// <summary>Notes a try that went well; true when the one before did not.</summary>
    private bool Recovered()
    {
        lock (_gate)
        {
            if (_failures == 0) return false;
            (_failures, _lastError) = (0, "");
            return true;
        }
    }

    /// <summary>Notes a failure; how long to wait.</summary>
    private TimeSpan Failed(string error)
    {
        lock (_gate)
        {
            _lastError = error;
            _retries++;
            var whole = s_firstWait * (1 << Math.Min(_failures, 6));
            _failures++;
            if (whole > s_longestWait) whole = s_longestWait;
            return whole / 2 + whole / 2 * _jitter.NextDouble();
        }
    }
}
