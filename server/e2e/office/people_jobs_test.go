package office_test

import "doorman/server/e2e/kit"

// leaveOf finds the time off that an employee asks for.
func leaveOf(w *worker, name string) (string, any) {
	model := w.model("time off", "Time Off")
	w.describe(model, "employee")
	return model, at(w.search(model, 1, []any{is("employee_id.name", name)}), 0, "id")
}

var peopleJobs = []job{
	{
		name: "time off is approved", as: "admin", calls: 5, bytes: 6_000,
		words: "Approve the time off of the employee Seller.",
		do: func(w *worker) {
			model, id := leaveOf(w, "Seller")
			w.press(w.actions(model, id), "Validate")
		},
		holds: []fact{{"hr.leave", `[["employee_id.name","=","Seller"]]`, "state", "validate"}},
	},
	{
		name: "time off is refused", as: "admin", calls: 5, bytes: 5_500,
		words: "Refuse the time off of the employee Ellen.",
		do: func(w *worker) {
			model, id := leaveOf(w, "Ellen")
			w.press(w.actions(model, id), "Refuse")
		},
		holds: []fact{{"hr.leave", `[["employee_id.name","=","Ellen"]]`, "state", "refuse"}},
	},
	{
		name: "an employee asks for time off", as: "ellen", calls: 3, bytes: 20_000,
		words: "I, the employee Ellen, need Study days, time off from 12 May 2031 to 14 May 2031; description: exam.",
		do: func(w *worker) {
			model := w.model("time off", "Time Off")
			w.describe(model)
			w.create(model, kit.Args{"employee_id": "Ellen", "holiday_status_id": "Study days", "request_date_from": w.date("12 May 2031"), "request_date_to": w.date("14 May 2031"), "name": "exam"})
		},
		holds: []fact{{"hr.leave", `[["employee_id.name","=","Ellen"],["request_date_from","=","2031-05-12"]]`, "state request_date_to number_of_days", "confirm 2031-05-14 3"}},
	},
	{
		name: "an expense", as: "ellen", calls: 4, bytes: 17_000,
		words: "I paid 42.5 for Taxi rides on 3 June 2031, an expense named Taxi to the fair. Submit it.",
		do: func(w *worker) {
			model := w.model("expense", "Expense")
			w.describe(model)
			r := w.create(model, kit.Args{"name": "Taxi to the fair", "product_id": "Taxi rides", "total_amount_currency": 42.5, "date": w.date("3 June 2031")})
			w.press(r, "Submit")
		},
		holds: []fact{{"hr.expense", `[["name","=","Taxi to the fair"]]`, "state total_amount employee_id date", "submitted 42.5 Ellen 2031-06-03"}},
	},
	{
		name: "an expense is refused", as: "admin", calls: 5, bytes: 4_500,
		words: "Refuse the expense Taxi to the fair; the reason is: the fair paid for it.",
		do: func(w *worker) {
			model := w.model("expense", "Expense")
			found := w.search(model, 1, []any{is("name", "Taxi to the fair")})
			opened := w.press(w.actions(model, at(found, 0, "id")), "Refuse")
			w.fill(opened, "Refuse", kit.Args{"reason": "the fair paid for it"})
		},
		holds: []fact{{"hr.expense", `[["name","=","Taxi to the fair"]]`, "state", "refused"}},
	},
	{
		name: "a task, its stage, its hours", as: "admin", calls: 8, bytes: 32_000,
		words: "New task Paint the walls in the project New showroom for Seller, deadline 20 June 2031. It is in the stage Building, and I worked 2.5 hours on it today: a timesheet line with the description Primer, quantity 2.5, on that task.",
		do: func(w *worker) {
			model := w.model("task", "Task")
			described := w.describe(model)
			r := w.create(model, kit.Args{"name": "Paint the walls", "project_id": "New showroom", "user_ids": []string{"Seller"}, "date_deadline": w.date("20 June 2031")})
			id := at(r, "records", 0, "id")
			stages := w.relation(described, "stage_id")
			w.describe(stages, "project")
			stage := w.search(stages, 1, []any{is("name", "Building"), is("project_ids.name", "New showroom")})
			w.do("update_records", kit.Args{"model": model, "ids": []any{id}, "values": kit.Args{"stage_id": at(stage, 0, "id")}})
			hours := w.relation(described, "timesheet_ids")
			w.describe(hours, "task, description, quantity")
			w.create(hours, kit.Args{"task_id": id, "name": "Primer", "unit_amount": 2.5})
		},
		holds: []fact{{"project.task", `[["name","=","Paint the walls"]]`, "stage_id user_ids project_id effective_hours", "Building 1 of them New showroom 2.5"}},
	},
	{
		name: "a meeting in two time zones", as: "seller", calls: 4, bytes: 23_500,
		words: "A calendar meeting with our contact Elm Interiors on 7 May 2031 from 15:00 to 16:30, named Colours. Times are those of my time zone.",
		do: func(w *worker) {
			zone := at(w.do("get_context", nil), "user", "tz").(string)
			model := w.model("calendar", "Calendar Event")
			w.describe(model)
			w.create(model, kit.Args{
				"name": "Colours", "start": w.moment("7 May 2031", "15:00", zone), "stop": w.moment("7 May 2031", "16:30", zone),
				"partner_ids": []string{"Elm Interiors"},
			})
		},
		holds: []fact{{"calendar.event", `[["name","=","Colours"]]`, "start stop user_id", "2031-05-07 19:00:00 2031-05-07 20:30:00 Seller"}},
	},
	{
		name: "a meeting every week", as: "admin", calls: 4, bytes: 7_000,
		words: "A calendar meeting with the name Stand-up, recurrent: start 13 May 2031, 09:00, stop at 09:15, our time. Recurrence weekly, on tue, 4 repetitions.",
		do: func(w *worker) {
			zone := at(w.do("get_context", nil), "user", "tz").(string)
			model := w.model("calendar", "Calendar Event")
			w.describe(model, "start, stop, recurrent, recurrence, repetitions, tue")
			w.create(model, kit.Args{
				"name": "Stand-up", "start": w.moment("13 May 2031", "09:00", zone), "stop": w.moment("13 May 2031", "09:15", zone),
				"recurrency": true, "rrule_type": "weekly", "tue": true, "end_type": "count", "count": 4,
			})
		},
		holds: []fact{
			{"calendar.event", `[["name","=","Stand-up"]]`, "name", "Stand-up | Stand-up | Stand-up | Stand-up"},
			{"calendar.event", `[["start","in",["2031-05-13 07:00:00","2031-05-20 07:00:00","2031-05-27 07:00:00","2031-06-03 07:00:00"]]]`, "name", "Stand-up | Stand-up | Stand-up | Stand-up"},
		},
	},
	{
		name: "a meeting that was, by its duration", as: "admin", calls: 4, bytes: 6_000,
		words: "Put the calendar meeting with the name Tasting there, too: start 4 March 2025, 10:00 our time, duration 1.5 hours.",
		do: func(w *worker) {
			zone := at(w.do("get_context", nil), "user", "tz").(string)
			model := w.model("calendar", "Calendar Event")
			w.describe(model, "start, duration")
			w.create(model, kit.Args{"name": "Tasting", "start": w.moment("4 March 2025", "10:00", zone), "duration": 1.5})
		},
		holds: []fact{{"calendar.event", `[["name","=","Tasting"]]`, "start stop duration", "2025-03-04 09:00:00 2025-03-04 10:30:00 1.5"}},
	},
	{
		name: "two whole days", as: "admin", calls: 3, bytes: 4_500,
		words: "The fair Wood Days takes two days: a calendar event of that name, all day, start 8 December 2031, stop 9 December 2031.",
		do: func(w *worker) {
			model := w.model("calendar", "Calendar Event")
			w.describe(model, "start, stop, all day")
			w.create(model, kit.Args{"name": "Wood Days", "allday": true, "start": w.date("8 December 2031"), "stop": w.date("9 December 2031")})
		},
		holds: []fact{{"calendar.event", `[["name","=","Wood Days"]]`, "start_date stop_date", "2031-12-08 2031-12-09"}},
	},
	{
		name: "a meeting is moved", as: "admin", calls: 5, bytes: 4_500,
		words: "Move the calendar meeting Budget talk: start 6 May 2031, 14:00, stop at 15:00, our time.",
		do: func(w *worker) {
			zone := at(w.do("get_context", nil), "user", "tz").(string)
			model := w.model("calendar", "Calendar Event")
			w.describe(model, "start, stop")
			found := w.search(model, 1, []any{is("name", "Budget talk")}, "name", "start", "stop")
			w.do("update_records", kit.Args{"model": model, "ids": []any{at(found, 0, "id")}, "values": kit.Args{
				"start": w.moment("6 May 2031", "14:00", zone), "stop": w.moment("6 May 2031", "15:00", zone),
			}})
		},
		holds: []fact{{"calendar.event", `[["name","=","Budget talk"]]`, "start stop", "2031-05-06 12:00:00 2031-05-06 13:00:00"}},
	},
}
