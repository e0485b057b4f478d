using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests.Specification;

public sealed class FrameWindowTests
{
    private static ulong Digest(uint counter) => StableHash.Mix(counter + 1UL);

    /// <summary>Against a set that remembers everything: verdicts within the window are exact.</summary>
    [Fact]
    public void Verdicts_are_those_of_a_full_memory()
    {
        for (var seed = 0ul; seed < 200; seed++)
        {
            var draw = new SplitMix64(seed);
            var (window, seen, highest) = (new FrameWindow(), new Dictionary<uint, ulong>(), 0u);
            for (var i = 0; i < 300; i++)
            {
                var counter = (uint)Math.Max(0, (long)highest + draw.Next(60) - 50);
                var digest = draw.Next(5) == 0 ? Digest(counter + 7_000) : Digest(counter);
                var expected = seen.Count == 0 || counter > highest ? FrameVerdict.New
                    : highest - counter >= FrameWindow.Size ? FrameVerdict.Below
                    : !seen.TryGetValue(counter, out var old) ? FrameVerdict.New
                    : old == digest ? FrameVerdict.Repeat : FrameVerdict.Reuse;
                Assert.True(expected == window.Judge(counter, digest, 100), $"seed {seed}, step {i}");
                window.Take(counter, digest, 100);
                if (highest - (long)counter < FrameWindow.Size) seen.TryAdd(counter, digest);
                highest = Math.Max(highest, counter);
                Assert.True(RoundTrips(window), $"seed {seed}, step {i}");
            }
        }
    }

    private static bool RoundTrips(FrameWindow window)
    {
        var (first, second) = (new ByteWriter(), new ByteWriter());
        window.Write(first);
        var r = new ByteReader(first.Written);
        FrameWindow.Read(ref r).Write(second);
        return r.AtEnd && first.Written.SequenceEqual(second.Written);
    }

    [Fact]
    public void Counters_up_to_the_last_do_not_overflow()
    {
        var window = new FrameWindow();
        foreach (var counter in (uint[])[0, uint.MaxValue - 1, uint.MaxValue])
            window.Take(counter, Digest(counter), 5);
        Assert.Equal(FrameVerdict.Repeat, window.Judge(uint.MaxValue, Digest(uint.MaxValue), 5));
        Assert.Equal(FrameVerdict.Below, window.Judge(0, Digest(0), 5));
    }

    [Theory]
    [InlineData(12_000u, 0, false)]
    [InlineData(12_002u, 0, true)]
    [InlineData(12_002u, 1, false)]
    [InlineData(70_000u, 30, false)]
    public void A_jump_depends_on_the_time_between(uint ahead, int days, bool jump)
    {
        var window = new FrameWindow();
        window.Take(1, 1, 1_000);
        var verdict = window.Judge(1 + ahead, 2, 1_000 + (uint)days * Moment.Day);
        Assert.Equal(jump ? FrameVerdict.Jump : FrameVerdict.New, verdict);
    }
}
