namespace Twin.Detection;

/// <summary>
/// What a member may be missed for, Wh of a half-hour, in four columns: <see cref="Reported"/>, what it reports (a
/// meter that counts a fixed share too little); <see cref="Below"/>, how far it is below its own profile, now and
/// lately (hours left out, readings replaced, energy taken off); <see cref="Moved"/>, its evening against the rest of
/// its day (energy told at other hours than it was used); <see cref="Marked"/>, its profile where it reads next to
/// nothing and its excess where it reads its highest (readings cut to zero, or capped).
/// </summary>
internal static class LossColumns
{
    public const int Reported = 0, Below = 1, Moved = 2, Marked = 3, Each = 4;

    /// <summary>17:00 to 21:00: the hours of the highest load, and of the highest prices where they differ.</summary>
    private const int EveningFrom = 34, EveningTo = 42;

    /// <summary>Next to nothing, as a share of the profile; the highest, as a share of the highest of late.</summary>
    private const float Nothing = 0.1f, Highest = 0.9f;

    /// <summary>
    /// How fast the lasting shortfall follows: about ten days. How fast a highest reading is forgotten.
    /// </summary>
    private const float LastingRate = 0.1f, TopMemory = 0.98f;

    /// <summary>What is remembered of a member from day to day.</summary>
    /// <param name="Lasting">How far below its profile it has been, as a share of it, −1 to 1.</param>
    /// <param name="Top">Its highest half-hour of late, Wh.</param>
    public readonly record struct Memory(float Lasting, float Top)
    {
        public Memory After(in DayFeatures day, float factor)
        {
            var usual = factor * day.ExpectedWh;
            var lasting = Lasting;
            if (usual > 0) lasting += LastingRate * (Math.Clamp(1f - day.TotalWh / usual, -1f, 1f) - lasting);
            var top = TopMemory * Top;
            for (var b = 0; b < DayShape.Blocks; b++) top = Math.Max(top, day.Blocks.Wh(b));
            return new Memory(lasting, top);
        }
    }

    /// <summary>A member's day in the columns.</summary>
    /// <param name="Evening">What the evening would add to each half-hour of the rest, were it spread there.</param>
    /// <param name="Factor">What all members use more than their profiles today.</param>
    public readonly record struct Day(Memory Memory, float Evening, float Factor)
    {
        public static Day Of(in DayFeatures day, Memory memory, float factor)
        {
            var evening = 0f;
            for (var b = EveningFrom; b < EveningTo; b++) evening += day.Blocks.Wh(b);
            return new Day(memory, evening / (DayShape.Blocks - EveningTo + EveningFrom), factor);
        }

        /// <summary>Fills <see cref="Each"/> values of a half-hour.</summary>
        public void Fill(in DayFeatures day, int block, Span<float> values)
        {
            var wh = day.Blocks.Wh(block);
            // 0 while there is no profile.
            var usual = Factor * day.ExpectedBlocks.Wh(block);
            values[Reported] = wh;
            values[Below] = usual > 0 ? usual - wh + Memory.Lasting * usual : 0f;
            values[Moved] = block is >= EveningFrom and < EveningTo ? wh : -Evening;
            values[Marked] = (wh <= Nothing * usual ? usual : 0f)
                + Math.Max(0f, wh - Highest * Memory.Top) / (1f - Highest);
        }
    }
}
