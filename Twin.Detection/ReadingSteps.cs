using Twin.Hardware;

namespace Twin.Detection;

/// <summary>How fine a meter's readings are.</summary>
internal static class ReadingSteps
{
    /// <summary>
    /// Steps below which a highest value is one of few: a register in whole kWh, read every ten minutes, repeats it by
    /// itself.
    /// </summary>
    private const int FewSteps = 40;

    /// <summary>True when all readings are multiples of a step that is large beside the highest of them.</summary>
    public static bool AreCoarse(ReadOnlySpan<int> slots, int highestWh)
    {
        var step = 0;
        foreach (var wh in slots)
        {
            if (wh == ReadingBlock.Missing) continue;
            var (a, b) = (step, Math.Abs(wh));
            while (b != 0) (a, b) = (b, a % b);
            step = a;
            // Most readings end here after two or three values.
            if (step > 0 && step * (long)FewSteps <= highestWh) return false;
        }
        return step > 0;
    }
}
