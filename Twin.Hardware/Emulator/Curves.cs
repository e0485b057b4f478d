namespace Twin.Hardware.Emulator;

/// <summary>Who lives in a home; decides when it is active.</summary>
internal enum Occupancy : byte { Worker, Family, Retired, Shift, Student }

/// <summary>Shapes as tables and polynomials: library functions may differ in the last bit between machines.</summary>
internal static class Curves
{
    /// <summary>
    /// Sine of a full turn per unit, error below 0.0011: a parabola, corrected by its own square.
    /// </summary>
    public static double Sine(double turns)
    {
        var x = turns - Math.Floor(turns + 0.5);
        var y = 16 * x * (0.5 - Math.Abs(x));
        return 0.225 * (y * Math.Abs(y) - y) + y;
    }

    public static double Cosine(double turns) => Sine(turns + 0.25);

    /// <summary>Activity 0 to 1 in a half hour of the day (0 to 47) by wall clock.</summary>
    public static ReadOnlySpan<double> Activity(Occupancy who, bool weekend) =>
        Tables[(int)who * 2 + (weekend ? 1 : 0)];

    // One digit a half hour: midnight to 6, 6 to 9, 9 to 17, 17 to midnight. Shapes in the manner of the UK time use
    // survey.
    private static readonly double[][] Tables =
    [
        Table("110000000000", "246651", "1111111111111111", "35788999988764"),
        Table("211000000000", "001235", "6665566655556667", "78899999888764"),
        Table("110000000000", "368753", "3332333322334567", "89999998765432"),
        Table("211000000000", "012467", "7776677766666778", "89999998876543"),
        Table("100000000000", "012456", "6655667655555666", "78888877654321"),
        Table("100000000000", "001346", "6656777765555666", "78889887654321"),
        Table("544332211111", "111111", "1122334455666666", "55554433333445"),
        Table("332110000000", "001234", "5566655555566667", "78888998887654"),
        Table("432100000000", "001123", "3332233333344455", "66778888888776"),
        Table("655432100000", "000001", "2344455555555566", "66777777777776"),
    ];

    private static double[] Table(string night, string morning, string day, string evening) =>
        [.. (night + morning + day + evening).Select(c => (c - '0') / 9.0)];
}
