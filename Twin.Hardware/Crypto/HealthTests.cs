namespace Twin.Hardware.Crypto;

/// <summary>Which health test failed.</summary>
public enum HealthFailure : byte { None = 0, RepetitionCount = 1, AdaptiveProportion = 2 }

/// <summary>
/// The two continuous health tests of NIST SP 800-90B (January 2018), 4.4.1 and 4.4.2, over samples of a byte with a
/// claimed min-entropy H of 4 bits and a false-alarm rate α of 2^−30 a test (the standard's range is 2^−20 to 2^−40).
/// After a failure they stay failed until the next power-on.
/// </summary>
internal sealed class HealthTests
{
    /// <summary>H, bits of min-entropy a sample.</summary>
    public const int ClaimedBits = 4;

    /// <summary>C = 1 + ⌈30 / H⌉: as many equal samples in a row fail.</summary>
    public const int RepetitionCutoff = 9;

    /// <summary>W for a source that is not binary.</summary>
    public const int Window = 512;

    /// <summary>
    /// C = 1 + CRITBINOM(W, 2^−H, 1 − α): as many samples of a window that equal its first one fail.
    /// </summary>
    public const int ProportionCutoff = 71;

    /// <summary>Samples that the startup test takes at the least (4.3, requirement 4).</summary>
    public const int StartupSamples = 1024;

    private byte _last;
    private int _repeats;
    private byte _first;
    private int _matches;
    private int _inWindow;

    public HealthFailure Failure { get; private set; }

    public void Reset()
    {
        (_repeats, _matches, _inWindow) = (0, 0, 0);
        Failure = HealthFailure.None;
    }

    /// <summary>Tests one sample; false from the first failure on.</summary>
    public bool Take(byte sample)
    {
        if (Failure != HealthFailure.None) return false;
        _repeats = _repeats > 0 && sample == _last ? _repeats + 1 : 1;
        _last = sample;
        if (_repeats >= RepetitionCutoff) Failure = HealthFailure.RepetitionCount;

        if (_inWindow == 0) (_first, _matches) = (sample, 1);
        else if (sample == _first) _matches++;
        _inWindow = (_inWindow + 1) % Window;
        if (_matches >= ProportionCutoff && Failure == HealthFailure.None) Failure = HealthFailure.AdaptiveProportion;
        return Failure == HealthFailure.None;
    }
}
